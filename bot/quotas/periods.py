"""When a quota's period begins and ends, as people of the server's time zone count."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from config.settings import Period

_MONTHS: Final = 12


def period_start(now: datetime, period: Period, time_zone: str) -> datetime:
    """When the running period began, in UTC; weeks begin on Monday."""
    local = now.astimezone(ZoneInfo(time_zone))
    if period is Period.HOUR:
        # By the clock of the zone, but counted in UTC: an hour exists twice when summer ends.
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return (now - past).astimezone(UTC)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period is Period.WEEK:
        midnight -= timedelta(days=midnight.weekday())
    elif period is Period.MONTH:
        midnight = midnight.replace(day=1)
    return midnight.astimezone(UTC)


def period_end(now: datetime, period: Period, time_zone: str) -> datetime:
    """When the next period begins, in UTC."""
    start = period_start(now, period, time_zone)
    if period is Period.HOUR:
        return start + timedelta(hours=1)
    local = start.astimezone(ZoneInfo(time_zone))
    if period is Period.DAY:
        following = local + timedelta(days=1)
    elif period is Period.WEEK:
        following = local + timedelta(days=7)
    else:
        following = local.replace(year=local.year + local.month // _MONTHS, month=local.month % _MONTHS + 1)
    return following.replace(fold=0).astimezone(UTC)
