"""Beginning and end of a quota's period, in the server's time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.areas.quotas import Period


def period_start(now: datetime, period: Period, time_zone: str) -> datetime:
    """The beginning of the current period, in UTC. Weeks begin on Monday."""
    zone = ZoneInfo(time_zone)
    local = now.astimezone(zone)
    if period is Period.HOUR:
        # The minutes come from the zone's clock, the hour is counted in UTC: at the end of summer time an hour repeats.
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return (now - past).astimezone(UTC)
    return _beginning(_first_day(local.date(), period), zone)


def period_end(now: datetime, period: Period, time_zone: str) -> datetime:
    """The beginning of the next period, in UTC."""
    if period is Period.HOUR:
        return period_start(now, period, time_zone) + timedelta(hours=1)
    zone = ZoneInfo(time_zone)
    first = _first_day(now.astimezone(zone).date(), period)
    if period is Period.DAY:
        following = first + timedelta(days=1)
    elif period is Period.WEEK:
        following = first + timedelta(days=7)
    else:
        following = _first_day(first + timedelta(days=31), period)
    return _beginning(following, zone)


def _first_day(day: date, period: Period) -> date:
    """The first day of the period that contains this day."""
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC. At a change of summer time, midnight may not exist or may occur twice."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
