"""The picture that a job starts from: which models can do that, the size to draw, and the strength."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from bot.errors import Refused
from bot.requests.given import GivenRequest
from bot.requests.sizes import shaped_size, size_values
from bot.requests.takes import GivenPicture
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest

STRENGTHS: Final[Mapping[str, float]] = MappingProxyType({"subtle": 0.3, "medium": 0.55, "strong": 0.75})
"""Strengths with a name. With the medium one, which is the default, the picture's arrangement mostly stays."""
_REFUSALS: Final = MappingProxyType(
    {
        Capability.INIT_IMAGE: ("refused-image-model", "refused-image-nowhere"),
        Capability.MASK: ("refused-mask-model", "refused-mask-nowhere"),
    }
)
"""Sentences about a model without a capability: other models have it; none has it."""
_LEAST_CUT: Final = 0.005
"""Fraction of a picture from which members are told that it is cut off."""


def refuse_without(capability: Capability, spec: ModelSpec, catalogue: Catalogue) -> None:
    """Check that a model can start from a picture (`INIT_IMAGE`), or draw a part of it anew (`MASK`).

    Raises:
        Refused: it cannot; the sentence names the models that can.
    """
    if spec.can(capability):
        return
    another, nowhere = _REFUSALS[capability]
    known = [each.title for each in catalogue.models.values() if each.can(capability)]
    if not known:
        raise Refused(nowhere)
    raise Refused(another, model=spec.title, known=", ".join(known))


def shaped(given: GivenRequest, spec: ModelSpec, limits: LimitSettings) -> GivenRequest:
    """The request with a size in its picture's shape, unless it has a size or the shape is unknown."""
    if given.image is None or given.image.sides is None or given.size is not None:
        return given
    return msgspec.structs.replace(given, size=shaped_size(*given.image.sides, spec, limits))


def inputs_of(given: GivenRequest, notices: list[Notice]) -> tuple[Input, ...]:
    """The inputs of a request, with a notice if its strength has no effect or is moved to the nearest bound."""
    if given.image is None:
        if given.strength is not None:
            notices.append(Notice(key="notice-strength-alone"))
        return ()
    strength = given.image.strength if given.strength is None else given.strength
    if strength is None:
        strength = STRENGTHS["medium"]
    used = min(max(strength, hard.MIN_STRENGTH), hard.MAX_STRENGTH)
    if used != strength:
        values: dict[str, str | int] = {"option": "strength", "given": f"{strength:g}", "used": f"{used:g}"}
        notices.append(Notice(key="notice-clamped", values=values))
    return (Input(role=InputRole.INIT_IMAGE, sha256=given.image.sha256, strength=used),)


def cut_notice(image: GivenPicture | None, request: GenerationRequest, spec: ModelSpec) -> Notice | None:
    """A notice that a part of the picture is cut off, since it has another shape than the drawn one."""
    if image is None or image.sides is None:
        return None
    theirs, ours = image.sides[0] / image.sides[1], request.width / request.height
    cut = 1 - min(theirs, ours) / max(theirs, ours)
    if cut < _LEAST_CUT:
        return None
    drawn = size_values(request.width, request.height, spec.delivered(request.width, request.height))
    where = "sides" if theirs > ours else "ends"
    return Notice(key="notice-cut", values={**drawn, "percent": max(1, round(100 * cut)), "where": where})


def picture_of(request: GenerationRequest) -> GivenPicture | None:
    """The picture that a job started from, for another job; None if it started from noise alone."""
    start = request.init_image
    return None if start is None else GivenPicture(sha256=start.sha256, strength=start.strength)
