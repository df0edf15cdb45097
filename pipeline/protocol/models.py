"""What an owner's catalogue says of a model: where its weights lie and what members may ask of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pipeline.protocol import limits
from pipeline.protocol.samplers import SAMPLERS, NoiseSchedule, Prediction, SamplerKind, offered_samplers

Steps = Annotated[int, Meta(ge=limits.MIN_STEPS, le=limits.MAX_STEPS)]
Guidance = Annotated[float, Meta(ge=limits.MIN_GUIDANCE_SCALE, le=limits.MAX_GUIDANCE_SCALE)]
Side = Annotated[int, Meta(ge=limits.MIN_SIDE, le=limits.MAX_SIDE, multiple_of=limits.SIZE_MULTIPLE)]
Part = Annotated[float, Meta(ge=0.0, le=1.0)]
ModelKey = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]

Family = Literal["sd", "sdxl", "sd3", "pipeline"]
"""Architectures. `sd` is Stable Diffusion 1.x and 2.x, `sdxl` Stable Diffusion XL, `sd3` Stable Diffusion 3 and 3.5;
`pipeline` is every other model that diffusers draws from text with, in its own pipeline."""


class FamilyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot must know of an architecture.

    Attributes:
        kind: of the samplers that fit it.
        size_multiple: width and height are multiples of this many pixels.
        has_weights: its text encoder takes words that count more or less than others; else brackets are text.
        is_whole: it draws from text alone, one job at a time: pictures are not varied, and upscaled without drawing.
    """

    kind: SamplerKind = "diffusion"
    size_multiple: int = limits.SIZE_MULTIPLE
    has_weights: bool = True
    is_whole: bool = False


FAMILY_FACTS: Mapping[Family, FamilyFacts] = MappingProxyType(
    {
        "sd": FamilyFacts(),
        "sdxl": FamilyFacts(),
        "sd3": FamilyFacts(kind="flow", size_multiple=16, has_weights=False),
        # The coarsest that is in use, since a pipeline says only when it is run what it takes.
        "pipeline": FamilyFacts(kind="own", size_multiple=32, has_weights=False, is_whole=True),
    }
)


class FolderSource(
    msgspec.Struct, frozen=True, kw_only=True, tag="folder", tag_field="kind", forbid_unknown_fields=True
):
    """A diffusers folder on disk; `path` is absolute once the catalogue is loaded."""

    path: str


class FileSource(msgspec.Struct, frozen=True, kw_only=True, tag="file", tag_field="kind", forbid_unknown_fields=True):
    """One .safetensors checkpoint as A1111 and ComfyUI use them.

    `config` names a local folder with the component configurations (the diffusers layout without weights),
    needed where the machine cannot ask a hub for them.
    """

    path: str
    config: str | None = None


class HubSource(msgspec.Struct, frozen=True, kw_only=True, tag="hub", tag_field="kind", forbid_unknown_fields=True):
    """A repository of the Hugging Face hub, pinned to a revision so that a picture stays repeatable."""

    repo_id: str
    revision: str


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request gets where the member said nothing, and what only the owner says.

    Attributes:
        steps: of denoising.
        cfg: weight of guidance.
        width: that the model draws.
        height: likewise.
        sampler: one of the model's.
        images: of a job.
        guidance_start: part of all steps after which guidance begins.
        guidance_end: part of all steps after which it ends; the steps without cost half as much.
        guidance_rescale: how much of the contrast that guidance adds is taken back.
    """

    steps: Steps = 20
    cfg: Guidance = 7.0
    width: Side = 512
    height: Side = 512
    sampler: str = "DPM++ 2M Karras"
    images: Annotated[int, Meta(ge=limits.MIN_IMAGES, le=limits.MAX_IMAGES)] = 1
    guidance_start: Part = 0.0
    guidance_end: Part = 1.0
    guidance_rescale: Part = 0.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far members may go with this model. Sides and pixels are those that the model draws."""

    max_steps: Steps = 50
    max_cfg: Guidance = limits.MAX_GUIDANCE_SCALE
    min_side: Side = 256
    max_side: Side = 1_024
    max_pixels: Annotated[int, Meta(ge=limits.MIN_SIDE**2)] = 1_024 * 1_024
    max_images: Annotated[int, Meta(ge=limits.MIN_IMAGES, le=limits.MAX_IMAGES)] = limits.MAX_IMAGES
    max_refined_pixels: Annotated[int, Meta(ge=limits.MIN_SIDE**2)] = 1_024 * 1_024
    """Of an upscaled picture that is drawn anew; larger ones are only resampled."""


class Enlarger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small upscaling network run on every finished image of a model that draws small ones.

    Attributes:
        path: its .safetensors file, absolute once the catalogue is loaded; any architecture spandrel knows.
        scale: how many times wider and higher the delivered image is.
    """

    path: str
    scale: Annotated[int, Meta(ge=2, le=8)]


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of a model that knows few, so that members are told which of theirs it does not know.

    Attributes:
        path: a JSON file with the other fields, absolute once the catalogue is loaded.
        things: what it can draw, as members are told.
        colors: of the things.
        places: behind the things.
        styles: of the pictures.
        words: every word it knows, in lower case.
        alike: words of a thing alone; a prompt that has none but these is drawn alike from every seed.
        examples: prompts that show what it can do.
    """

    path: str
    things: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()
    examples: tuple[str, ...] = ()


Tflop = Annotated[float, Meta(ge=0.0)]


class Cost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The work of a model, frozen here so that prices never move with the load.

    In TFLOP, as counted with torch's FlopCounterMode; P = pixels / 512^2. The defaults are those of Stable
    Diffusion 1.5, measured from 256 to 1,024 pixels.

    Attributes:
        row_linear: of one pass of one row through the network, for each P.
        row_quadratic: the same, for each P^2: what attention adds.
        decode: of decoding (and enlarging) one image, for each P.
        text: of reading the prompts, once a job.
    """

    row_linear: Annotated[float, Meta(gt=0.0)] = 0.6815
    row_quadratic: Tflop = 0.1215
    decode: Tflop = 2.51
    text: Tflop = 0.026


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the catalogue.

    Attributes:
        key: the name in commands and in the database; never reused for other weights.
        title: the name that members see.
        source: where the weights lie.
        family: which step adapter runs it.
        license: what the licence allows, in one line, shown to the owner and in the model's details.
        samplers: names offered with this model; empty offers every one that fits its family.
        cost: what a job's price is worked out from.
        preview_decoder: an AutoencoderTiny for the model's latents (TAESD and its kin), for previews with forms.
        refine_strength: how much of an upscaled picture is drawn anew; 0 only resamples.
        vocabulary: of a model that knows few words.
        prediction: what the model was trained to answer, where its files say nothing or something wrong.
        zero_snr: whether it was trained from pure noise on (zero terminal SNR), likewise.
        vae: taken instead of the one in its files, or because there is none.
        clip_skip: the layer of the text encoders that is taken, counted from the last, which is 1; None is the
            family's own (1 for Stable Diffusion 1.x and 2.x, 2 for XL and 3), or what a file says of itself.
    """

    key: ModelKey
    title: str
    source: FolderSource | FileSource | HubSource
    family: Family
    license: str
    description: str = ""
    defaults: Defaults = Defaults()
    bounds: Bounds = Bounds()
    samplers: tuple[str, ...] = ()
    enlarger: Enlarger | None = None
    preview_decoder: FolderSource | HubSource | None = None
    cost: Cost = Cost()
    refine_strength: Part = 0.3
    vocabulary: Vocabulary | None = None
    prediction: Prediction | None = None
    zero_snr: bool | None = None
    vae: FolderSource | FileSource | HubSource | None = None
    clip_skip: Annotated[int, Meta(ge=1, le=limits.MAX_CLIP_SKIP)] | None = None

    @property
    def facts(self) -> FamilyFacts:
        """Of its family."""
        return FAMILY_FACTS[self.family]

    def delivered(self, width: int, height: int) -> tuple[int, int]:
        """Sides of what arrives, in pixels, where the model draws these."""
        scale = 1 if self.enlarger is None else self.enlarger.scale
        return width * scale, height * scale

    @property
    def offered_samplers(self) -> tuple[str, ...]:
        """Names of samplers, in the order in which members see them."""
        return self.fitting_samplers(self.schedule)

    @property
    def schedule(self) -> NoiseSchedule:
        """As far as the catalogue says; the model's files may say more."""
        return NoiseSchedule(prediction=self.prediction or "epsilon", is_zero_snr=bool(self.zero_snr))

    def fitting_samplers(self, schedule: NoiseSchedule) -> tuple[str, ...]:
        """Those of the offered samplers that can honour a schedule."""
        if not self.samplers:
            return offered_samplers(self.facts.kind, schedule)
        return tuple(name for name in self.samplers if SAMPLERS[name].honours(schedule))

    def narrowed(self, samplers: tuple[str, ...]) -> "ModelSpec":
        """The same entry with these samplers alone; the first of them is usual where the usual one is not there."""
        usual = self.defaults
        if usual.sampler not in samplers:
            usual = msgspec.structs.replace(usual, sampler=samplers[0])
        return msgspec.structs.replace(self, samplers=samplers, defaults=usual)
