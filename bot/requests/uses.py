"""What a job's pictures are for: the use of each, the size to draw, and their strengths."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from bot.errors import Refused
from bot.requests.abilities import FROM_NETWORKS, ROLES, default_use, refusal, refuse_use, uses_for
from bot.requests.given import GivenRequest
from bot.requests.guiding import guide_for, usable_guide
from bot.requests.options.sizes import shaped_size, size_values
from bot.requests.options.takes import GivenPicture, PictureWeight, read_use, use_of
from config.catalogue import Catalogue
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import ControlSpec, GuideSpec
from pipeline.protocol.inputs import Input, InputRole, Use
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

STRENGTHS: Final[Mapping[str, float]] = MappingProxyType({"subtle": 0.3, "medium": 0.55, "strong": 0.75})
"""Strengths with a name. With the medium one, which is the default, the picture's arrangement mostly stays."""
_NOT_SEVERAL: Final = ("refused-several-model", "refused-several-nowhere")
_NO_PICTURE: Final = ("refused-picture-model", "refused-picture-nowhere")
"""Sentences about a model that draws nothing without a picture."""
_DRAWN: Final = (InputRole.INIT_IMAGE, InputRole.EDIT)
"""Parts of pictures that the drawn picture comes from."""
_SHAPED: Final = (InputRole.INIT_IMAGE, InputRole.EDIT, InputRole.CONTROL)
"""Parts of pictures whose shape the drawn picture gets."""
_LEAST_CUT: Final = 0.005
"""Fraction of a picture from which members are told that it is cut off."""


class Wished(msgspec.Struct, frozen=True, kw_only=True):
    """A given picture with its use, as in `PictureUse`."""

    picture: GivenPicture
    use: Use
    is_map: bool = False
    network: str = ""

    @property
    def role(self) -> InputRole:
        """The part that it plays."""
        return ROLES[self.use]


def wishes(given: GivenRequest, spec: ModelSpec, catalogue: Catalogue, notices: list[Notice]) -> tuple[Wished, ...]:
    """The given pictures with their uses, and a notice for a use without a picture.

    Raises:
        Refused: a use or its network is unknown, the model has it not, the pictures do not go together, or the model
            needs one.
    """
    found: list[Wished] = []
    for option, picture, words in (("use", given.image, given.use), ("use2", given.image2, given.use2)):
        if picture is not None:
            found.append(_wished(option, picture, words, spec, catalogue, found))
        elif words is not None:
            notices.append(Notice(key="notice-use-alone", values={"option": option}))
    for each in given.beside:  # a further one is for the same as the second, unless an earlier job says otherwise
        words = given.use2 if each.use is None else None
        found.append(_wished("use2", each, words, spec, catalogue, found))
    for each in found:
        refuse_use(each.use, spec, catalogue)
        if each.network:
            guide_for(each.use, each.network, spec, catalogue)
    _refuse_together(found, spec, catalogue)
    if not spec.can(Capability.TEXT_TO_IMAGE) and not any(each.role in _DRAWN for each in found):
        known = [each.title for each in catalogue.models.values() if each.can(Capability.TEXT_TO_IMAGE)]
        raise refusal(_NO_PICTURE, spec, known)
    return tuple(found)


def _wished(
    option: str,
    picture: GivenPicture,
    words: str | None,
    spec: ModelSpec,
    catalogue: Catalogue,
    before: Sequence[Wished],
) -> Wished:
    """A picture with the use of its option, that of an earlier job, or the usual one after those before it."""
    if words is not None:
        found = read_use(words)
        if found is None or (found.network and ROLES[found.use] not in FROM_NETWORKS):
            raise Refused("refused-use-unknown", option=option, use=words[:40], known=", ".join(Use))
        if found.is_map and ROLES[found.use] is not InputRole.CONTROL:
            raise Refused("refused-use-map", use=found.use.value)
        return Wished(picture=picture, use=found.use, is_map=found.is_map, network=found.network)
    if picture.use is not None:
        network = usable_guide(picture.network, picture.use, spec, catalogue)
        return Wished(picture=picture, use=picture.use, is_map=picture.is_map, network=network)
    use = default_use(spec)
    if before and use is Use.START:
        # A second start is none: the first other use is what the member can only mean.
        use = next((each for each in uses_for(spec, catalogue) if each not in (Use.START, Use.EDIT)), Use.START)
    return Wished(picture=picture, use=use)


def _refuse_together(found: Sequence[Wished], spec: ModelSpec, catalogue: Catalogue) -> None:
    roles = [each.role for each in found]
    starts, edits = roles.count(InputRole.INIT_IMAGE), roles.count(InputRole.EDIT)
    if starts > 1:
        others = [use.value for use in uses_for(spec, catalogue) if use not in (Use.START, Use.EDIT)]
        raise Refused("refused-two-starts", model=spec.title, known=", ".join(others) or "none")
    if starts and edits:
        raise Refused("refused-start-and-edit")
    if edits > 1 and not spec.can(Capability.SEVERAL_PICTURES):
        known = [each.title for each in catalogue.models.values() if each.can(Capability.SEVERAL_PICTURES)]
        raise refusal(_NOT_SEVERAL, spec, known)


def shaped(given: GivenRequest, wished: Sequence[Wished], spec: ModelSpec, limits: LimitSettings) -> GivenRequest:
    """The request with a size in its picture's shape, unless it has a size or the shape is unknown."""
    sides = _sides(wished)
    if sides is None or given.size is not None:
        return given
    return msgspec.structs.replace(given, size=shaped_size(*sides, spec, limits))


def inputs_of(
    given: GivenRequest,
    wished: Sequence[Wished],
    spec: ModelSpec,
    catalogue: Catalogue,
    notices: list[Notice],
) -> tuple[Input, ...]:
    """The inputs of a request, with a notice if its strength has no effect or is moved to the nearest bound."""
    if not wished and given.strength is not None:
        notices.append(Notice(key="notice-strength-alone"))
    return tuple(
        _input(each, given.strength if index == 0 else None, spec, catalogue, notices)
        for index, each in enumerate(wished)
    )


def _input(
    wished: Wished,
    typed: float | PictureWeight | None,
    spec: ModelSpec,
    catalogue: Catalogue,
    notices: list[Notice],
) -> Input:
    picture = wished.picture
    if wished.role not in FROM_NETWORKS:
        usual = STRENGTHS["medium"] if picture.strength is None else picture.strength
        wanted = typed.for_start() if isinstance(typed, PictureWeight) else typed
        if wanted is not None and wished.role is InputRole.EDIT and not spec.can(Capability.EDIT_STRENGTH):
            notices.append(Notice(key="notice-strength-unused", values={"model": spec.title}))
            wanted = None
        strength = _within(usual if wanted is None else wanted, hard.MIN_STRENGTH, hard.MAX_STRENGTH, notices)
        return Input(role=wished.role, sha256=picture.sha256, strength=strength, use=wished.use)
    guide = guide_for(wished.use, wished.network, spec, catalogue)
    usual = guide.scale if picture.strength is None else picture.strength
    wanted = typed.for_network(guide.scale) if isinstance(typed, PictureWeight) else typed
    return Input(
        role=wished.role,
        sha256=picture.sha256,
        strength=_within(usual if wanted is None else wanted, 0.0, hard.MAX_NETWORK_SCALE, notices),
        use=wished.use,
        network=guide.key,
        start=guide.start,
        end=guide.end,
        **_of_control(guide, wished),
    )


def _of_control(guide: GuideSpec, wished: Wished) -> dict[str, bool]:
    if not isinstance(guide, ControlSpec):
        return {}
    return {"is_map": wished.is_map or guide.preprocessor == "none", "is_guess": guide.guess}


def _within(strength: float, lowest: float, highest: float, notices: list[Notice]) -> float:
    used = min(max(strength, lowest), highest)
    if used != strength:
        values: dict[str, str | int] = {"option": "strength", "given": f"{strength:g}", "used": f"{used:g}"}
        notices.append(Notice(key="notice-clamped", values=values))
    return used


def cut_notice(wished: Sequence[Wished], request: GenerationRequest, spec: ModelSpec) -> Notice | None:
    """A notice that a part of the picture is cut off, since it has another shape than the drawn one."""
    sides = _sides(wished)
    return None if sides is None else cut_notice_of(sides, request, spec)


def cut_notice_of(sides: tuple[int, int], request: GenerationRequest, spec: ModelSpec) -> Notice | None:
    """The same for a picture with this width and height in pixels."""
    theirs, ours = sides[0] / sides[1], request.width / request.height
    cut = 1 - min(theirs, ours) / max(theirs, ours)
    if cut < _LEAST_CUT:
        return None
    drawn = size_values(request.width, request.height, spec.delivered(request.width, request.height))
    where = "sides" if theirs > ours else "ends"
    return Notice(key="notice-cut", values={**drawn, "percent": max(1, round(100 * cut)), "where": where})


def pictures_of(request: GenerationRequest) -> dict[str, Any]:
    """The pictures of a job, as fields of a `GivenRequest` for another job."""
    first, second, *others = [*_again(request), None, None]
    return {"image": first, "image2": second, "beside": tuple(filter(None, others))}


def _again(request: GenerationRequest) -> Iterator[GivenPicture]:
    for each in request.given:
        asked = use_of(each)
        yield GivenPicture(
            sha256=each.sha256, strength=each.strength, use=asked.use, is_map=asked.is_map, network=asked.network
        )


def _sides(wished: Sequence[Wished]) -> tuple[int, int] | None:
    """Sides of the first picture whose shape matters and is known."""
    return next((each.picture.sides for each in wished if each.role in _SHAPED and each.picture.sides), None)
