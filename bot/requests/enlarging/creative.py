"""The request of a creative upscale: a picture is enlarged, and its model draws the details anew, tile by tile."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from bot.errors import Refused
from bot.requests.enlarging.upscale import sides_of
from bot.requests.options.table import FIELDS
from bot.requests.options.takes import GivenPicture
from bot.requests.pasted import prompt_of
from bot.requests.resolving import Resolved
from bot.requests.uses import cut_notice_of
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Input, InputRole, Tiles, Use
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

OFF: Final = "off"
CREATIVE: Final[Mapping[str, float]] = MappingProxyType({"subtle": 2 / 3, "strong": 1.0})
"""How much is drawn anew: strengths as multiples of the model's `refine_strength`.

With the usual one, 0.3, they are 0.2 and 0.3. A higher strength draws other things than the picture shows.
"""
_OVERLAP: Final = 8
"""A tile shares an eighth of its shorter side with the next one."""
_LEAST_STEPS: Final = 6
"""Least number of drawn steps; fewer leave the details soft."""


class Enlargement(msgspec.Struct, frozen=True, kw_only=True):
    """What a member wants of a picture.

    Attributes:
        picture: the picture; its sides are unknown until it is fetched.
        was_shrunk: whether it was made smaller when it was read.
        scale: factor between the sides; None is the greatest that the bounds allow.
        creative: a key of `CREATIVE`.
        upscaler: key of the upscaler.
        is_upscaler_named: whether the member named it; otherwise it only enlarges what is smaller than the model draws.
    """

    picture: GivenPicture = GivenPicture(sha256="")
    was_shrunk: bool = False
    scale: int | None = None
    creative: str
    upscaler: str
    is_upscaler_named: bool = False


def creative_of(words: str | None) -> str | None:
    """A key of `CREATIVE`; None for a plain enlargement.

    Raises:
        Refused: there is no such word.
    """
    if words is None or words == OFF:
        return None
    if words not in CREATIVE:
        raise Refused("refused-creative-unknown", given=words[:40], known=", ".join((OFF, *CREATIVE)))
    return words


def check_together(creative: str | None, prompt: str | None, faces: str | None) -> None:
    """Check that no option is without effect: only drawing reads a prompt, and it draws the faces too.

    Raises:
        Refused: one is.
    """
    if creative is None and prompt is not None:
        raise Refused("refused-creative-alone")
    if creative is not None and faces is not None:
        raise Refused("refused-creative-faces")


def prompt_in(parameters: str) -> str:
    """The prompt in a picture's generation parameters.

    Raises:
        Refused: there is none.
    """
    prompt = prompt_of(parameters)
    if not prompt:
        raise Refused("refused-creative-prompt")
    return prompt


def is_creative(spec: ModelSpec) -> bool:
    """Whether a model can draw an enlarged picture anew. One that refines with a strength of 0 only resamples."""
    return spec.can(Capability.INIT_IMAGE) and spec.can(Capability.REFINING) and spec.refine_strength > 0


def check_creative(spec: ModelSpec, catalogue: Catalogue) -> None:
    """Check that a model can draw an enlarged picture anew.

    Raises:
        Refused: it cannot; the sentence names the models that can.
    """
    if is_creative(spec):
        return
    known = ", ".join(each.title for each in catalogue.models.values() if is_creative(each))
    if not known:
        raise Refused("refused-creative-nowhere")
    raise Refused("refused-creative-model", model=spec.title, known=known)


def drawn_in_tiles(resolved: Resolved, wanted: Enlargement, catalogue: Catalogue, host: LimitSettings) -> Resolved:
    """A resolved request as one that draws the enlarged picture in tiles.

    Args:
        resolved: the request of the prompt, with the values of all other options.
        wanted: the picture, and what is wanted of it.
        catalogue: the models.
        host: the host's limits.

    Raises:
        Refused: the model cannot, or the picture or the result is too small or too large.
    """
    request, spec = resolved.request, catalogue.models[resolved.request.model_key]
    check_creative(spec, catalogue)
    notices = [*resolved.notices]
    if _is_typed(resolved, spec, "size"):
        notices.append(Notice(key="notice-creative-size"))
    picture = sides_of(wanted.picture, wanted.scale, was_shrunk=wanted.was_shrunk)
    width, height = _drawn_sides(picture, wanted.scale, spec, host)
    strength = max(hard.MIN_STRENGTH, round(CREATIVE[wanted.creative] * spec.refine_strength, 2))
    is_enlarged = wanted.is_upscaler_named or width > picture[0] or height > picture[1]
    start = Input(
        role=InputRole.INIT_IMAGE,
        sha256=wanted.picture.sha256,
        strength=strength,
        use=Use.START,
        network=wanted.upscaler if is_enlarged else "",
    )
    tiles = tiles_for(width, height, spec)
    request = msgspec.structs.replace(request, width=width, height=height, tiles=tiles, inputs=(start,))
    # What the member typed stands; a default that is made for whole pictures gives way.
    given_way = {"size"}
    if not _is_typed(resolved, spec, "cfg") and spec.refine_cfg is not None:
        request = msgspec.structs.replace(request, guidance_scale=spec.refine_cfg)
        given_way.add("guidance_scale")
    if not _is_typed(resolved, spec, "steps"):
        request = msgspec.structs.replace(request, num_inference_steps=_steps(request, strength, spec))
        given_way.add("num_inference_steps")
    notices += filter(None, [cut_notice_of(picture, request, spec)])
    kept = resolved.defaults.only(resolved.defaults.merged.names() - given_way)
    return msgspec.structs.replace(resolved, request=request, notices=tuple(notices), defaults=kept)


def _is_typed(resolved: Resolved, spec: ModelSpec, option: str) -> bool:
    """Whether the prompt has this option with another value than the usual one."""
    found = FIELDS[option]
    return not found.is_usual(resolved.request, spec) and getattr(resolved.defaults.merged, found.field) is None


def tiles_for(width: int, height: int, spec: ModelSpec) -> Tiles:
    """The tiles of a picture: each has the size that the model usually draws, or that of the picture."""
    multiple = spec.facts.size_multiple
    sides = [
        min(usual // multiple * multiple, side)
        for usual, side in ((spec.defaults.width, width), (spec.defaults.height, height))
    ]
    overlap = max(1, min(sides) // _OVERLAP // hard.SIZE_MULTIPLE) * hard.SIZE_MULTIPLE
    return Tiles(width=sides[0], height=sides[1], overlap=overlap)


def _steps(request: GenerationRequest, strength: float, spec: ModelSpec) -> int:
    """Steps of the whole schedule, so many that enough of them are drawn."""
    steps = request.num_inference_steps
    return max(steps, min(math.ceil(_LEAST_STEPS / strength), spec.bounds.max_steps))


def _drawn_sides(picture: tuple[int, int], scale: int | None, spec: ModelSpec, host: LimitSettings) -> tuple[int, int]:
    """Sides that the model draws; its own enlarger may deliver more.

    Raises:
        Refused: no scale fits, or not this one.
    """
    fitting = {
        each: sides for each in hard.UPSCALES if (sides := _fitting_sides(picture, each, spec, host)) is not None
    }
    wanted = max(fitting, default=max(hard.UPSCALES)) if scale is None else scale
    if wanted not in fitting:
        raise Refused(
            "refused-creative-size",
            width=picture[0] * wanted,
            height=picture[1] * wanted,
            model=spec.title,
            fitting=", ".join(map(str, fitting)) or "none",
        )
    return fitting[wanted]


def _fitting_sides(
    picture: tuple[int, int], scale: int, spec: ModelSpec, host: LimitSettings
) -> tuple[int, int] | None:
    """Sides that the model draws for this scale; None if they are outside the bounds."""
    multiple = spec.facts.size_multiple
    enlarger = 1 if spec.enlarger is None else spec.enlarger.scale
    width, height = (round(side * scale / enlarger / multiple) * multiple for side in picture)
    is_fitting = (
        min(width, height) >= hard.MIN_SIDE
        and max(width, height) <= hard.MAX_SIDE
        and width * height <= host.max_pixels
        and tiles_for(width, height, spec).count(width, height) <= hard.MAX_TILES
    )
    return (width, height) if is_fitting else None
