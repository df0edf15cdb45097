"""Requests of jobs to the engine, with every field set. The tag `kind` distinguishes the kinds of requests."""

from typing import Annotated, Final, TypeAlias, TypeVar, get_args

import msgspec

from pipeline.protocol import limits
from pipeline.protocol.facts import Fact
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Tiles
from pipeline.protocol.limits import MAX_SEED

_WORDS: Final = Fact(lowest=0, highest=limits.MAX_PROMPT_LENGTH, is_private=True)


class Variation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variation of a picture: its initial noise is interpolated towards the noise of another seed.

    Attributes:
        seed: seed of the other noise.
        strength: position between the two, from 0 (the same picture) to 1 (the other seed's picture).
    """

    seed: int
    strength: float


class Upscale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Upscaling of the finished picture.

    Attributes:
        scale: factor between the sides of the larger picture and the original.
        strength: fraction of the steps that the second pass repeats at that size, from 0 (only resampled) to 1.
        guidance_scale: greatest guidance scale of the second pass; None leaves it to that of the request.
    """

    scale: int
    strength: float
    guidance_scale: float | None = None


_STRENGTH_RANGE: Final = 0.9
"""Difference between the strengths of an edit whose guidance towards the picture differs by 1."""


class GenerationRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="image"
):
    """A resolved request: limits are applied and a seed is chosen. Rerolls start from it, and nothing is left open.

    Attributes:
        prompt: the prompt; not empty.
        negative_prompt: the negative prompt; may be empty.
        num_inference_steps: number of denoising steps; a second-order sampler evaluates the model twice in each.
        guidance_scale: scale of classifier-free guidance; at 1 or below the negative prompt has no effect.
        width: width in pixels that the model draws; an enlarger may deliver more.
        height: height in pixels that the model draws.
        scheduler_name: name of a sampler in `pipeline.protocol.samplers.table`.
        seed: seed of image 0; image k has seed + k. With variations, every image starts from this seed.
        num_images: number of images in the job.
        model_key: key of the model in the catalogue.
        variations: variations in order; for image k, the last one has seed + k.
        upscale: upscaling of the finished pictures; None for none.
        guidance_start: fraction of all drawn steps after which guidance begins, from 0.
        guidance_end: fraction of all drawn steps after which guidance ends, up to 1.
        guidance_rescale: fraction of guidance's additional contrast that is removed, from 0 to 1.
        inputs: pictures that the job is given.
        inpaint: the part of the init image that is drawn anew; None draws all of it.
        tiles: tiles by which every pass draws its picture; None draws it as a whole. Only an init image has tiles.
    """

    prompt: Annotated[str, _WORDS]
    negative_prompt: Annotated[str, _WORDS]
    num_inference_steps: Annotated[int, Fact(lowest=limits.MIN_STEPS, highest=limits.MAX_STEPS, file_key="Steps")]
    guidance_scale: Annotated[
        float, Fact(lowest=limits.MIN_GUIDANCE_SCALE, highest=limits.MAX_GUIDANCE_SCALE, file_key="CFG scale")
    ]
    width: Annotated[int, Fact(lowest=limits.MIN_SIDE, highest=limits.MAX_SIDE, file_key="Size")]
    height: Annotated[int, Fact(lowest=limits.MIN_SIDE, highest=limits.MAX_SIDE)]
    scheduler_name: Annotated[str, Fact(file_key="Sampler", is_private=False)]
    seed: Annotated[int, Fact(lowest=limits.MIN_SEED, highest=limits.MAX_SEED, file_key="Seed")]
    num_images: Annotated[int, Fact(lowest=limits.MIN_IMAGES, highest=limits.MAX_IMAGES)]
    model_key: Annotated[str, Fact(file_key="Model", is_private=False)]
    variations: tuple[Variation, ...] = ()
    upscale: Upscale | None = None
    guidance_start: Annotated[float, Fact(lowest=0.0, highest=1.0, file_key="Guidance start")] = 0.0
    guidance_end: Annotated[float, Fact(lowest=0.0, highest=1.0, file_key="Guidance end")] = 1.0
    guidance_rescale: Annotated[float, Fact(lowest=0.0, highest=1.0, file_key="Guidance rescale")] = 0.0
    inputs: Annotated[tuple[Input, ...], Fact(lowest=0, highest=limits.MAX_INPUTS, is_private=True)] = ()
    inpaint: Inpaint | None = None
    tiles: Tiles | None = None

    @property
    def output_count(self) -> int:
        """Number of requested outputs; every kind of request has this property."""
        return self.num_images

    @property
    def init_image(self) -> Input | None:
        """The picture that denoising starts from; None when it starts from noise alone."""
        return self._input(InputRole.INIT_IMAGE)

    @property
    def mask(self) -> Input | None:
        """The picture whose white part is drawn anew; None without one."""
        return self._input(InputRole.MASK)

    @property
    def whole(self) -> tuple[int, int] | None:
        """Sides of a picture of which only a window is drawn, before an upscale; None when all of it is drawn."""
        return None if self.inpaint is None else self.inpaint.whole

    @property
    def given(self) -> tuple[Input, ...]:
        """The pictures that a member gave it, in order. A mask is no picture of its own."""
        return tuple(each for each in self.inputs if each.role is not InputRole.MASK)

    @property
    def controls(self) -> tuple[Input, ...]:
        """The pictures whose lines, depth or pose the job follows."""
        return self._inputs(InputRole.CONTROL)

    @property
    def references(self) -> tuple[Input, ...]:
        """The pictures whose style, subject, composition or face the job takes."""
        return self._inputs(InputRole.REFERENCE)

    @property
    def edits(self) -> tuple[Input, ...]:
        """The picture that is changed as the prompt says, then the pictures beside it."""
        return self._inputs(InputRole.EDIT)

    @property
    def image_guidance(self) -> float:
        """Scale of the guidance towards the changed picture of an edit.

        A strength of 1 leaves it to the words alone, which is a scale of 1. A medium one, 0.55, is a scale of 1.5, the
        default of InstructPix2Pix.
        """
        return 1 + (1 - self.edits[0].strength) / _STRENGTH_RANGE

    @property
    def last_seed(self) -> int:
        """Seed that increases from image to image."""
        return self.variations[-1].seed if self.variations else self.seed

    def guides(self, step: int, total_steps: int) -> bool:
        """True when guidance is applied at a step, counted from 1."""
        return self.guidance_start * total_steps < step <= self.guidance_end * total_steps

    def _input(self, role: InputRole) -> Input | None:
        return next(iter(self._inputs(role)), None)

    def _inputs(self, role: InputRole) -> tuple[Input, ...]:
        return tuple(each for each in self.inputs if each.role is role)

    def single(self, index: int) -> "GenerationRequest":
        """Request for a single image, which is exactly image `index` of this request."""
        seed = seed_of(self.last_seed, index)
        if not self.variations:
            return msgspec.structs.replace(self, seed=seed, num_images=1)
        last = msgspec.structs.replace(self.variations[-1], seed=seed)
        return msgspec.structs.replace(self, variations=(*self.variations[:-1], last), num_images=1)


class MakingOfRequest(
    GenerationRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="making-of"
):
    """A resolved request to show how a picture is drawn: the picture's own request for a single image."""

    @property
    def output_count(self) -> int:
        """Number of requested outputs: the animation, and the finished picture as its still."""
        return 2


class MorphRequest(
    GenerationRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="morph"
):
    """A resolved request for pictures between two pictures. Its own fields are those of the first one.

    Attributes:
        end_prompt: prompt of the last picture.
        end_seed: its seed.
        frames: number of pictures, with both ends.
        is_returning: True when the animation goes there and back.
    """

    end_prompt: Annotated[str, _WORDS]
    end_seed: Annotated[int, Fact(lowest=limits.MIN_SEED, highest=limits.MAX_SEED)]
    frames: Annotated[int, Fact(lowest=limits.MIN_FRAMES, highest=limits.MAX_FRAMES)]
    is_returning: bool = True

    @property
    def output_count(self) -> int:
        """Number of requested outputs: the animation and its still."""
        return 2


class UpscaleRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="upscale"
):
    """A resolved request to enlarge a picture.

    Attributes:
        prompt: the words that the picture was drawn from; empty for a picture from elsewhere.
        scale: factor between the sides of the larger picture and the given one.
        width: width of the given picture in pixels; the price follows from it.
        height: its height in pixels.
        model_key: key of the upscaler in the catalogue.
        inputs: the given picture, as the only one.
        faces: key of the network that repairs faces; empty repairs none.
    """

    prompt: Annotated[str, _WORDS] = ""
    scale: Annotated[int, Fact(lowest=min(limits.UPSCALES), highest=max(limits.UPSCALES))]
    width: Annotated[int, Fact(lowest=1, highest=limits.MAX_INPUT_SIDE)]
    height: Annotated[int, Fact(lowest=1, highest=limits.MAX_INPUT_SIDE)]
    model_key: Annotated[str, Fact(is_private=False)]
    inputs: Annotated[tuple[Input, ...], Fact(lowest=1, highest=1, is_private=True)]
    faces: Annotated[str, Fact(is_private=False)] = ""

    @property
    def output_count(self) -> int:
        """Number of requested outputs, always 1."""
        return 1

    @property
    def delivered(self) -> tuple[int, int]:
        """Width and height of the larger picture in pixels."""
        return self.width * self.scale, self.height * self.scale

    @property
    def delivered_pixels(self) -> int:
        """Number of pixels of the larger picture."""
        width, height = self.delivered
        return width * height


class CutoutRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="cutout"
):
    """A resolved request to make the background of a picture transparent.

    Attributes:
        prompt: always empty; the head of a message shows it.
        width: width of the given picture and of the result in pixels.
        height: their height in pixels.
        model_key: key of the network in the catalogue.
        inputs: the given picture, as the only one.
    """

    prompt: Annotated[str, _WORDS] = ""
    width: Annotated[int, Fact(lowest=1, highest=limits.MAX_INPUT_SIDE)]
    height: Annotated[int, Fact(lowest=1, highest=limits.MAX_INPUT_SIDE)]
    model_key: Annotated[str, Fact(is_private=False)]
    inputs: Annotated[tuple[Input, ...], Fact(lowest=1, highest=1, is_private=True)]

    @property
    def output_count(self) -> int:
        """Number of requested outputs, always 1."""
        return 1


Request: TypeAlias = GenerationRequest | MakingOfRequest | MorphRequest | UpscaleRequest | CutoutRequest
"""Union of all kinds of requests. JSON must have the tag; a migration wrote it into rows that are older than it.

Each kind has a `model_key`, an `output_count`, the `inputs` that it is given, and a `prompt`: the words at the head of
its messages. The last two may be empty.
"""

REQUEST_TYPES: Final[tuple[type[Request], ...]] = get_args(Request)
"""The members of the union."""

T = TypeVar("T", bound=msgspec.Struct)


def kind_name(tagged: msgspec.Struct) -> str:
    """Tag `kind` of a request or an output, which is its name on the wire and in the database."""
    return str(tagged.__struct_config__.tag)


def narrowed(tagged: msgspec.Struct, expected: type[T]) -> T:
    """A request or an output as a member of its union, for code that a row of a table of kinds leads to.

    Raises:
        TypeError: it is of another kind, so the table was passed over.
    """
    if not isinstance(tagged, expected):
        raise TypeError(f"This is of the kind {kind_name(tagged)!r} and no {expected.__name__}.")
    return tagged


def seed_of(first_seed: int, index: int) -> int:
    """Seed of image `index` of a job: one more than its predecessor's; after the greatest seed comes 0."""
    return (first_seed + index) % (MAX_SEED + 1)
