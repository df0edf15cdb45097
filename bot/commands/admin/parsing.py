"""Parsing of the amounts and durations that admins type."""

import re
from datetime import timedelta
from typing import Final

from bot.errors import Refused
from bot.quotas.rules import Rule
from config.areas.quotas import Period

MAX_AMOUNT: Final = 1_000_000
MAX_DURATION: Final = timedelta(days=3_650)
UNLIMITED: Final = "unlimited"
DEFAULT: Final = "default"

_HOURS: Final = {"h": 1, "d": 24, "w": 168}
_DURATION: Final = re.compile(r"(?:[0-9]{1,6}\s*(?:hours?|h|days?|d|weeks?|w)\s*)+", re.ASCII)
_PART: Final = re.compile(r"([0-9]+)\s*([hdw])", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


def parse_duration(words: str) -> timedelta:
    """A duration such as `12h`, `7d`, `2w`, `1w 3d`, or the same in words.

    Raises:
        Refused: the text is no duration, or it exceeds ten years.
    """
    lowered = words.strip().lower()
    if _DURATION.fullmatch(lowered) is None:
        raise Refused("refused-duration", value=words)
    hours = sum(int(count) * _HOURS[unit] for count, unit in _PART.findall(lowered))
    if not 0 < hours <= MAX_DURATION / timedelta(hours=1):
        raise Refused("refused-duration", value=words)
    return timedelta(hours=hours)


def parse_rule(amount: str, period: str) -> Rule | None:
    """A rule from an amount and a period. The amount `default` gives None, which removes a rule.

    Raises:
        Refused: the amount is neither a number, nor `unlimited`, nor `default`.
    """
    lowered = amount.strip().lower()
    if lowered == DEFAULT:
        return None
    if lowered == UNLIMITED:
        return Rule(amount=None, period=Period(period))
    if _NUMBER.fullmatch(lowered) is None or int(lowered) > MAX_AMOUNT:
        raise Refused("refused-amount", value=amount, limit=MAX_AMOUNT)
    return Rule(amount=int(lowered), period=Period(period))
