"""What values an option takes: their bounds, and how one is read that was typed."""

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
"""How far members may go with a model, within the host's limits."""


class Takes(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one kind.

    Attributes:
        cut: the value at the beginning of a text, and the rest of it.
        read: the value from the option's name as it was typed and the words behind it; raises `Refused`.
        fits: whether words that stand behind the option's name in a pasted command are such a value.
    """

    cut: Callable[[str, Offers], Cut]
    read: Callable[[str, str], Any]
    fits: Callable[[str, Offers], bool]


class Text(Takes, frozen=True, kw_only=True):
    """Words, at most so many characters of them in a command."""

    max_length: int


class Number(Takes, frozen=True, kw_only=True):
    """Whole numbers or decimals between two bounds."""

    type: type[int] | type[float]
    lowest: float
    highest: Highest

    def nearest(self, name: str, value: float, highest: float, notices: list[Notice]) -> float:
        """The nearest allowed number, with a notice where it differs.

        Raises:
            Refused: not a number at all.
        """
        if math.isnan(value):
            raise Refused("refused-typed-number", option=name, value="nan")
        used = min(max(value, self.lowest), highest)
        if used != value:
            values: dict[str, str | int] = {"option": name, "given": f"{value:g}", "used": f"{used:g}"}
            notices.append(Notice(key="notice-clamped", values=values))
        return self.type(used)


def whole(lowest: float, highest: Highest, read: Callable[[str, str], int | None] = option_values.whole) -> Number:
    """Whole numbers."""
    return Number(
        cut=lambda rest, _: option_values.cut_number(rest),
        read=read,
        fits=lambda value, _: option_values.is_whole(value),
        type=int,
        lowest=lowest,
        highest=highest,
    )


def decimal(lowest: float, highest: Highest) -> Number:
    """Numbers with a point or a comma."""
    return Number(
        cut=lambda rest, _: option_values.cut_number(rest),
        read=option_values.decimal,
        fits=lambda value, _: option_values.is_decimal(value),
        type=float,
        lowest=lowest,
        highest=highest,
    )


def name_of(is_name: Callable[[str, Offers], bool], *, max_length: int, max_words: float = math.inf) -> Text:
    """A name of something, which may have several words.

    Args:
        is_name: whether there is something of this name.
        max_length: characters in a command.
        max_words: in a pasted command, of a name that is not known here.
    """
    return Text(
        cut=lambda rest, offers: option_values.cut_name(rest, lambda words: is_name(words, offers)),
        read=option_values.name,
        fits=lambda value, offers: is_name(value, offers) or 0 < len(value.split()) <= max_words,
        max_length=max_length,
    )
