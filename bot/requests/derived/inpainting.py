"""Requests that draw a part of a drawn picture anew, or what lies around it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from bot.requests.options.sizes import fit_sides
from bot.requests.resolving import choose_seed
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint
from pipeline.protocol.requests import GenerationRequest

ZOOMS: Final[Mapping[str, float]] = MappingProxyType({"1.5": 1.5, "2": 2.0})
"""Factors of a zoom out, by the words of its form."""
OUTPAINT_STRENGTH: Final = 1.0
"""Strength of what is drawn around a picture: there is nothing to keep."""
_PAN_MARGIN: Final = 0.5
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


def around(request: GenerationRequest) -> GenerationRequest:
    """A request of the same size and strength as a zoom out of a picture, to know its price."""
    start = Input(role=InputRole.INIT_IMAGE, sha256="", strength=OUTPAINT_STRENGTH)
    return msgspec.structs.replace(
        request, variations=(), upscale=None, inputs=(start,), inpaint=zoomed_out(ZOOMS["2"])
    )


def panned(
    request: GenerationRequest, index: int, side: str, sha256: str, spec: ModelSpec, limits: LimitSettings
) -> GenerationRequest | None:
    """One of a job's pictures, longer by a half on one side, in the nearest size that its model draws.

    Args:
        request: the job's request.
        index: the picture.
        side: name of a margin.
        sha256: hash of the picture's file.
        spec: the model.
        limits: the host's limits.

    Returns:
        None if the model draws no picture of that shape.
    """
    is_wide = side in ("left", "right")
    width = request.width * (1 + _PAN_MARGIN * is_wide)
    height = request.height * (1 + _PAN_MARGIN * (not is_wide))
    sides = fit_sides(width, height, spec, limits)
    if sides is None:
        return None
    return msgspec.structs.replace(
        request.single(index),
        seed=choose_seed(),
        variations=(),
        upscale=None,
        width=sides[0],
        height=sides[1],
        inputs=(Input(role=InputRole.INIT_IMAGE, sha256=sha256, strength=OUTPAINT_STRENGTH),),
        inpaint=Inpaint(outpaint=Outpaint(**{side: _PAN_MARGIN})),
    )


def _grown(inpaint: Inpaint, grow: float) -> Inpaint:
    return msgspec.structs.replace(inpaint, grow=min(max(grow, -hard.MAX_GROW), hard.MAX_GROW))
