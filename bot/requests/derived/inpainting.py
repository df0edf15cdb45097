"""Requests that draw a part of a drawn picture anew, or what lies around it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from bot.requests.options.sizes import fit_sides, read_size, shaped_size
from bot.requests.resolving import choose_seed
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint
from pipeline.protocol.reading import MAX_RATIO
from pipeline.protocol.requests import GenerationRequest

ZOOMS: Final[Mapping[str, float]] = MappingProxyType({"1.5": 1.5, "2": 2.0})
"""Factors of a zoom out, by the words of its form."""
OUTPAINT_STRENGTH: Final = 1.0
"""Strength of what is drawn around a picture: there is nothing to keep."""
_PAINTED_GROW: Final = 1 / 32
"""Growth of a painted part, so that it covers the edges of what was painted over."""
_GROW_STEP: Final = 1 / 16


def part(cells: Sequence[int], mask: str | None) -> tuple[Inpaint, tuple[Input, ...]]:
    """The part of a picture, and its mask as an input. A mask comes before cells.

    Args:
        cells: cells of the grid of 3 x 3, numbered row by row.
        mask: hash of a mask of what was painted; None for cells.
    """
    if mask is None:
        return Inpaint(cells=tuple(sorted(cells)), is_enlarged=True), ()
    return Inpaint(grow=_PAINTED_GROW, is_enlarged=True), (Input(role=InputRole.MASK, sha256=mask),)


def larger(inpaint: Inpaint) -> Inpaint:
    """The part, wider on every side."""
    return _grown(inpaint, inpaint.grow + _GROW_STEP)


def smaller(inpaint: Inpaint) -> Inpaint:
    """The part, narrower on every side."""
    return _grown(inpaint, inpaint.grow - _GROW_STEP)


def inverted(inpaint: Inpaint) -> Inpaint:
    """Everything but the part. Its own growth becomes a loss, so that both meet at the same edge."""
    return msgspec.structs.replace(inpaint, is_inverted=not inpaint.is_inverted, grow=-inpaint.grow)


def zoomed_out(factor: float) -> Inpaint:
    """Margins around a picture, which becomes smaller by this factor."""
    margin = (factor - 1) / 2
    return Inpaint(outpaint=Outpaint(left=margin, top=margin, right=margin, bottom=margin))


def around(request: GenerationRequest, spec: ModelSpec, limits: LimitSettings) -> GenerationRequest:
    """A request of the same size and strength as a zoom out of a picture, to know its price."""
    start = Input(role=InputRole.INIT_IMAGE, sha256="", strength=OUTPAINT_STRENGTH)
    if request.whole is not None:
        width, height, _ = read_size(shaped_size(*request.whole, spec, limits), spec, limits)
        request = msgspec.structs.replace(request, width=width, height=height)
    return msgspec.structs.replace(
        request, variations=(), upscale=None, inputs=(start,), inpaint=zoomed_out(ZOOMS["2"])
    )


class Pan(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn for a pan: a window, one half of which is new.

    Attributes:
        width: drawn width of the window in pixels.
        height: its drawn height.
        inpaint: the margin, and the size of the longer picture.
    """

    width: int
    height: int
    inpaint: Inpaint


def pan_of(
    picture: tuple[int, int], usual: tuple[int, int], side: str, spec: ModelSpec, limits: LimitSettings
) -> Pan | None:
    """The pan of a picture.

    Across its direction, the window is as large as the picture. Along it, it has the usual side if that shows enough of
    the picture.

    Args:
        picture: width and height of the picture in pixels.
        usual: width and height that the model draws for such a picture.
        side: name of a margin.
        spec: the model.
        limits: the host's limits.

    Returns:
        None if the picture or the longer one is too long, or if the model draws no window of that shape.
    """
    is_wide = side in ("left", "right")
    length, breadth = picture if is_wide else picture[::-1]
    scale, _ = spec.delivered(1, 1)
    across = breadth / scale
    along = min(max(usual[0 if is_wide else 1], across / 2), 2 * length / scale)
    margin = round(along * scale / 2)
    longer = length + margin
    sides = fit_sides(*((along, across) if is_wide else (across, along)), spec, limits)
    # A larger picture would be made smaller as an input.
    is_too_long = max(picture) > hard.MAX_INPUT_SIDE or longer > min(hard.MAX_WHOLE_SIDE, MAX_RATIO * breadth)
    if sides is None or is_too_long:
        return None
    whole = (longer, breadth) if is_wide else (breadth, longer)
    inpaint = Inpaint(outpaint=Outpaint(**{side: margin / length}), whole=whole)
    return Pan(width=sides[0], height=sides[1], inpaint=inpaint)


def panned(
    request: GenerationRequest,
    index: int,
    picture: tuple[int, int],
    side: str,
    *,
    sha256: str,
    spec: ModelSpec,
    limits: LimitSettings,
) -> GenerationRequest | None:
    """One of a job's pictures, longer on one side.

    Args:
        request: the job's request.
        index: the picture.
        picture: its width and height in pixels.
        side: name of a margin.
        sha256: hash of the picture's file.
        spec: the model.
        limits: the host's limits.

    Returns:
        None if it cannot be longer there.
    """
    pan = pan_of(picture, (request.width, request.height), side, spec, limits)
    if pan is None:
        return None
    return msgspec.structs.replace(
        request.single(index),
        seed=choose_seed(),
        variations=(),
        upscale=None,
        width=pan.width,
        height=pan.height,
        inputs=(Input(role=InputRole.INIT_IMAGE, sha256=sha256, strength=OUTPAINT_STRENGTH),),
        inpaint=pan.inpaint,
    )


def _grown(inpaint: Inpaint, grow: float) -> Inpaint:
    return msgspec.structs.replace(inpaint, grow=min(max(grow, -hard.MAX_GROW), hard.MAX_GROW))
