"""Days that a member types: `2026-11-29`, `29.11.2026`, or a month as `2026-11`."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.errors import Refused

_DAYS: Final = ("%Y-%m-%d", "%d.%m.%Y")
_MONTH: Final = "%Y-%m"
_MONTH_DAYS: Final = 31
SUGGESTED: Final = (0, 1, 7, 30, 365)
"""Days ago that the command suggests."""


def beginning_of(typed: str, time_zone: str) -> datetime:
    """The beginning of a typed day or month, in UTC.

    Raises:
        Refused: it is no day.
    """
    return _midnight(_read(typed)[0], time_zone)


def end_of(typed: str, time_zone: str) -> datetime:
    """The beginning of what follows a typed day or month, in UTC.

    Raises:
        Refused: it is no day.
    """
    return _midnight(_read(typed)[1], time_zone)


def suggested(now: datetime, time_zone: str) -> dict[int, str]:
    """Days that are this number of days ago, as they are typed."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return {ago: (today - timedelta(days=ago)).isoformat() for ago in SUGGESTED}


def _read(typed: str) -> tuple[date, date]:
    """The first day, and the day after the last."""
    for form in _DAYS:
        with contextlib.suppress(ValueError, OverflowError):
            day = _parsed(typed, form)
            return day, day + timedelta(days=1)
    with contextlib.suppress(ValueError, OverflowError):
        first = _parsed(typed, _MONTH)
        return first, (first + timedelta(days=_MONTH_DAYS)).replace(day=1)
    raise Refused("refused-no-day", words=typed)


def _parsed(typed: str, form: str) -> date:
    """A day of our times, since Discord shows no others.

    Raises:
        ValueError: it is no such day.
    """
    day = datetime.strptime(typed.strip(), form).replace(tzinfo=UTC).date()
    if not 2000 <= day.year < 2400:  # noqa: PLR2004 - centuries around Discord's time
        raise ValueError(typed)
    return day


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)
