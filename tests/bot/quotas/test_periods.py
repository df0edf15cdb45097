"""Periods as people of a time zone count them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.quotas.periods import period_end, period_start
from config.areas.quotas import Period

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    # Their clocks change at midnight, so that a day has none, or two.
    "America/Santiago",
    "Asia/Beirut",
    "Atlantic/Azores",
]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("period", "now", "start", "end"),
    [
        (Period.HOUR, "2026-05-01T10:30:15.25+00:00", "2026-05-01T10:00+00:00", "2026-05-01T11:00+00:00"),
        (Period.DAY, "2026-05-01T10:30:15.25+00:00", "2026-05-01T00:00+02:00", "2026-05-02T00:00+02:00"),
        (Period.DAY, "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        (Period.DAY, "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        (Period.WEEK, "2026-05-01T10:30+00:00", "2026-04-27T00:00+02:00", "2026-05-04T00:00+02:00"),
        (Period.MONTH, "2026-12-31T22:59+00:00", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
        (Period.MONTH, "2026-12-31T23:01+00:00", "2027-01-01T00:00+01:00", "2027-02-01T00:00+01:00"),
    ],
)
def test_periods_follow_the_clock_on_the_wall(period: Period, now: str, start: str, end: str) -> None:
    assert period_start(_time(now), period, "Europe/Berlin") == _time(start)
    assert period_end(_time(now), period, "Europe/Berlin") == _time(end)


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    period=st.sampled_from(Period),
    zone=st.sampled_from(ZONES),
)
def test_every_moment_is_in_exactly_one_period(now: datetime, period: Period, zone: str) -> None:
    start, end = period_start(now, period, zone), period_end(now, period, zone)
    assert start.tzinfo is end.tzinfo is UTC
    assert start <= now < end
    assert period_start(start, period, zone) == start
    assert period_start(end, period, zone) == end


@pytest.mark.parametrize(
    ("zone", "now", "start", "end"),
    [
        # Midnight is skipped: the day begins at one.
        ("America/Santiago", "2026-09-06T12:00-03:00", "2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00"),
        ("America/Santiago", "2026-09-05T12:00-04:00", "2026-09-05T00:00-04:00", "2026-09-06T01:00-03:00"),
        # Midnight comes twice: the day begins with the first.
        ("Atlantic/Azores", "2026-10-25T00:30+00:00", "2026-10-25T00:00+00:00", "2026-10-26T00:00-01:00"),
        ("Atlantic/Azores", "2026-10-25T00:30-01:00", "2026-10-25T00:00+00:00", "2026-10-26T00:00-01:00"),
        ("Atlantic/Azores", "2026-10-24T12:00+00:00", "2026-10-24T00:00+00:00", "2026-10-25T00:00+00:00"),
    ],
)
def test_days_whose_midnight_is_missing_or_comes_twice(zone: str, now: str, start: str, end: str) -> None:
    assert period_start(_time(now), Period.DAY, zone) == _time(start)
    assert period_end(_time(now), Period.DAY, zone) == _time(end)


def test_the_hour_that_exists_twice_is_two_periods() -> None:
    first, second = _time("2026-10-25T02:30+02:00"), _time("2026-10-25T02:30+01:00")
    assert period_start(first, Period.HOUR, "Europe/Berlin") == _time("2026-10-25T02:00+02:00")
    assert period_start(second, Period.HOUR, "Europe/Berlin") == _time("2026-10-25T02:00+01:00")
    assert period_end(first, Period.HOUR, "Europe/Berlin") == period_start(second, Period.HOUR, "Europe/Berlin")


def test_hours_of_a_zone_with_half_an_hour_begin_there_at_its_full_hour() -> None:
    assert period_start(_time("2026-05-01T10:15+05:30"), Period.HOUR, "Asia/Kolkata") == _time("2026-05-01T10:00+05:30")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-01", 24)])
def test_a_day_is_as_long_as_the_zone_makes_it(day: str, hours: int) -> None:
    now = _time(f"{day}T12:00+01:00")
    length = period_end(now, Period.DAY, "Europe/Berlin") - period_start(now, Period.DAY, "Europe/Berlin")
    assert length == timedelta(hours=hours)
