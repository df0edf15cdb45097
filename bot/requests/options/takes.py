"""The values of an option: their bounds and their parsing."""

import math
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bot.errors import Refused
from bot.requests.typed import option_values
from bot.requests.typed.offers import Offers
from bot.requests.typed.option_values import Cut
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Input, InputRole, Use
from pipeline.protocol.wire.outputs import Notice

WEIGHT: Final = "iw"
"""Midjourney's name of the image weight."""
Highest = Callable[[ModelSpec, LimitSettings], float]
"""The upper bound for members: that of the model, within the host's limit."""


class Takes(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one kind.

    Attributes:
        cut: splits a text into the value at its beginning and the rest.
        read: parses a value; the arguments are the option's typed name and the value. It raises `Refused`.
        fits: whether a text in a pasted command is such a value.
    """

    cut: Callable[[str, Offers], Cut]
    read: Callable[[str, str], Any]
    fits: Callable[[str, Offers], bool]


class Text(Takes, frozen=True, kw_only=True):
    """A text; `max_length` is its limit of characters in a command."""

    max_length: int


class Picture(Takes, frozen=True, kw_only=True):
    """Attached pictures. They cannot be typed."""


class GivenPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture for a job, which Easel keeps.

    Attributes:
        sha256: hash of its file.
        sides: its width and height in pixels; None if they are unknown, as for the picture of an earlier job.
        strength: its strength in an earlier job; None for a new picture.
        use: its use in an earlier job or in a blend; None for the one of its option.
        is_map: whether it was a ready-made map in an earlier job.
        network: key of the control net or reference adapter of an earlier job; empty for the usual one.
    """

    sha256: str
    sides: tuple[int, int] | None = None
    strength: float | None = None
    use: Use | None = None
    is_map: bool = False
    network: str = ""


class PictureUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture is for, as members type it: `depth`, `depth map`, `depth map my-net`.

    Attributes:
        use: the use.
        is_map: whether the picture is a ready-made map for it.
        network: key or title of a control net or reference adapter; empty for the usual one.
    """

    use: Use
    is_map: bool = False
    network: str = ""

    @property
    def words(self) -> str:
        """The use as members type it."""
        return " ".join(filter(None, [self.use, _MAP if self.is_map else "", self.network]))


class PictureWeight(msgspec.Struct, frozen=True, kw_only=True):
    """Midjourney's image weight: 1 is usual, and a higher one keeps more of the picture."""

    weight: float

    def for_start(self) -> float:
        """The strength of a picture to start from; a weight of 1 is the medium strength."""
        return max(hard.MIN_STRENGTH, 1 - 0.45 * self.weight)

    def for_network(self, usual: float) -> float:
        """The scale of a control or reference whose usual scale is given."""
        return usual * self.weight


class Number(Takes, frozen=True, kw_only=True):
    """Integers or decimals between two bounds."""

    type: type[int] | type[float]
    lowest: float
    highest: Highest

    def nearest(self, name: str, value: float, highest: float, notices: list[Notice]) -> float:
        """The nearest allowed number, with a notice if it differs.

        Raises:
            Refused: the value is NaN.
        """
        if math.isnan(value):
            raise Refused("refused-typed-number", option=name, value="nan")
        used = min(max(value, self.lowest), highest)
        if used != value:
            values: dict[str, str | int] = {"option": name, "given": f"{value:g}", "used": f"{used:g}"}
            notices.append(Notice(key="notice-clamped", values=values))
        return self.type(used)


def picture() -> Picture:
    """Attached pictures. A typed one is refused: an address in a prompt is never opened."""
    return Picture(cut=lambda rest, _: option_values.cut_word(rest), read=_refuse_typed, fits=lambda *_: False)


def _refuse_typed(option: str, _: str) -> None:
    raise Refused("refused-typed-picture", option=option)


_MAP: Final = "map"
_USE: Final = re.compile(
    rf"\s*(?P<use>{'|'.join(Use)})(?:[\s-]+(?P<map>{_MAP}))?(?:\s+(?P<network>\S.*?))?\s*", re.IGNORECASE
)


def read_use(words: str) -> PictureUse | None:
    """A picture's use; None for words that begin with none. Whether there is such a network is not checked."""
    match = _USE.fullmatch(words)
    if match is None:
        return None
    network = " ".join((match["network"] or "").split())
    return PictureUse(use=Use(match["use"].casefold()), is_map=match["map"] is not None, network=network)


def is_use(words: str, offers: Offers) -> bool:
    """Whether words are a use, alone or with a network that there is."""
    found = read_use(words)
    return found is not None and (not found.network or offers.is_guide(found.network))


def use_of(given: Input) -> PictureUse:
    """A picture's use with the network that a job took for it."""
    network = given.network if given.role in (InputRole.CONTROL, InputRole.REFERENCE) else ""
    return PictureUse(use=given.use or Use.START, is_map=given.is_map, network=network)


def strength_or_weight(option: str, value: str) -> float | PictureWeight:
    """A strength, or Midjourney's image weight under its own name.

    Raises:
        Refused: the text is no number.
    """
    number = option_values.decimal(option, value)
    return PictureWeight(weight=max(0.0, number)) if option.lstrip("-").casefold() == WEIGHT else number


def whole(lowest: float, highest: Highest, read: Callable[[str, str], int | None] = option_values.whole) -> Number:
    """Values that are integers."""
    return Number(
        cut=lambda rest, _: option_values.cut_number(rest),
        read=read,
        fits=lambda value, _: option_values.is_whole(value),
        type=int,
        lowest=lowest,
        highest=highest,
    )


def decimal(lowest: float, highest: Highest, read: Callable[[str, str], Any] = option_values.decimal) -> Number:
    """Values that are decimals, with a point or a comma."""
    return Number(
        cut=lambda rest, _: option_values.cut_number(rest),
        read=read,
        fits=lambda value, _: option_values.is_decimal(value),
        type=float,
        lowest=lowest,
        highest=highest,
    )


def name_of(is_name: Callable[[str, Offers], bool], *, max_length: int, max_words: float = math.inf) -> Text:
    """Values that are names, which may have several words.

    Args:
        is_name: whether a name is known.
        max_length: most characters in a command.
        max_words: most words of an unknown name in a pasted command.
    """
    return Text(
        cut=lambda rest, offers: option_values.cut_name(rest, lambda words: is_name(words, offers)),
        read=option_values.name,
        fits=lambda value, offers: is_name(value, offers) or 0 < len(value.split()) <= max_words,
        max_length=max_length,
    )
