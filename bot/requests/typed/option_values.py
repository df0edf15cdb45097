"""Parsing of a typed option's value: its end, and its meaning."""

import re
from collections.abc import Callable
from typing import Final

from bot.errors import Refused

MAX_NUMBER_LENGTH: Final = 40
"""Most characters of a typed number. Longer ones are no real values, and are slow to convert."""
_MAX_NAME_WORDS: Final = 8
_SHOWN: Final = 40

_QUOTED = re.compile(r"\s*(?:\"(?P<plain>[^\"]*)\"|“(?P<curly>[^”]*)”|„(?P<german>[^“”]*)[“”])")
_WORD = re.compile(r"\s*(\S+)")
_ANY_NUMBER: Final = r"[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)"
_NUMBER = re.compile(rf"\s*({_ANY_NUMBER})(?=[,.;]*(?:\s|$))[,.;]*")
_SIDES = re.compile(r"\s*([0-9]+ ?[x\u00d7*:/] ?[0-9]+)(?=[,.;]*(?:\s|$))[,.;]*", re.IGNORECASE)
_RATIO = re.compile(r"([0-9]+) ?[:/x\u00d7] ?([0-9]+)", re.IGNORECASE)

Cut = tuple[str, str]
"""A value, and the text after it."""


def cut_word(rest: str) -> Cut:
    """The first word, or the text in quotes."""
    quoted = _cut_quoted(rest)
    if quoted is not None:
        return quoted
    match = _WORD.match(rest)
    return ("", rest) if match is None else (match[1].rstrip(",;"), rest[match.end() :])


def cut_number(rest: str) -> Cut:
    """The number at the beginning; otherwise the first word."""
    match = _NUMBER.match(rest)
    return cut_word(rest) if match is None else (match[1], rest[match.end() :])


def cut_size(rest: str) -> Cut:
    """Two sides or a ratio, with or without blanks; otherwise the first word."""
    match = _SIDES.match(rest)
    return cut_word(rest) if match is None else (match[1], rest[match.end() :])


def cut_name(rest: str, is_name: Callable[[str], bool]) -> Cut:
    """The longest name at the beginning; otherwise the text up to a comma."""
    quoted = _cut_quoted(rest)
    if quoted is not None:
        return (quoted[0].strip(), quoted[1])
    words = list(re.finditer(r"\S+", rest))[:_MAX_NAME_WORDS]
    for last in reversed(words):
        for end in (last.end(), last.start() + len(last[0].rstrip(",.;"))):
            if is_name(rest[:end].strip()):
                return (rest[:end].strip(), rest[end:].lstrip(",.;"))
    value, _, text = rest.partition(",")
    return (value.strip(), text)


def _cut_quoted(rest: str) -> Cut | None:
    quoted = _QUOTED.match(rest)
    return None if quoted is None else (quoted[quoted.lastgroup or 0], rest[quoted.end() :])


def is_whole(value: str) -> bool:
    """Whether the text is an integer of reasonable length."""
    return len(value) <= MAX_NUMBER_LENGTH and re.fullmatch(r"[+-]?[0-9]+", value) is not None


def is_decimal(value: str) -> bool:
    """Whether the text is a number of reasonable length, with a point, a comma or neither."""
    return len(value) <= MAX_NUMBER_LENGTH and re.fullmatch(_ANY_NUMBER, value) is not None


def whole(option: str, value: str) -> int:
    """An integer.

    Raises:
        Refused: the text is no integer.
    """
    _refuse_empty(option, value)
    if not is_whole(value):
        key = "refused-typed-whole" if is_decimal(value) else "refused-typed-number"
        raise Refused(key, option=option, value=_shown(value))
    return int(value)


def decimal(option: str, value: str) -> float:
    """A number, with a point or a comma.

    Raises:
        Refused: the text is no number.
    """
    _refuse_empty(option, value)
    if not is_decimal(value):
        raise Refused("refused-typed-number", option=option, value=_shown(value))
    return float(value.replace(",", "."))


def ratio(option: str, value: str) -> str:
    """An aspect ratio in the notation of sizes.

    Raises:
        Refused: the text is no ratio.
    """
    _refuse_empty(option, value)
    match = _RATIO.fullmatch(value)
    sides = () if match is None or len(value) > MAX_NUMBER_LENGTH else (int(match[1]), int(match[2]))
    if not sides or 0 in sides:
        raise Refused("refused-ratio", value=_shown(value))
    return f"{sides[0]}:{sides[1]}"


def name(option: str, value: str) -> str:
    """Any name.

    Raises:
        Refused: the text is empty.
    """
    _refuse_empty(option, value)
    return value


def _refuse_empty(option: str, value: str) -> None:
    if not value:
        raise Refused("refused-option-empty", option=option)


def _shown(value: str) -> str:
    return value[:_SHOWN]
