"""The values of an option: their bounds and their parsing."""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from bot.errors import Refused
from bot.requests.typed import option_values
from bot.requests.typed.offers import Offers
from bot.requests.typed.option_values import Cut
from config.settings import LimitSettings
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec

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
    """

    sha256: str
    sides: tuple[int, int] | None = None
    strength: float | None = None


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


def decimal(lowest: float, highest: Highest) -> Number:
    """Values that are decimals, with a point or a comma."""
    return Number(
        cut=lambda rest, _: option_values.cut_number(rest),
        read=option_values.decimal,
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
