"""Days that members type for a search."""

from datetime import UTC, datetime

import pytest

from bot.commands.history.days import beginning_of, end_of, suggested
from bot.errors import Refused

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("typed", ["2026-03-29", "29.03.2026", " 29.3.2026 "])
def test_a_day_begins_and_ends_in_the_owners_time_zone(typed: str) -> None:
    # On this day the clocks of Berlin go forward, so it has 23 hours.
    assert beginning_of(typed, BERLIN) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert end_of(typed, BERLIN) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_a_month_stands_for_all_of_its_days() -> None:
    assert beginning_of("2026-02", "UTC") == datetime(2026, 2, 1, tzinfo=UTC)
    assert end_of("2026-02", "UTC") == datetime(2026, 3, 1, tzinfo=UTC)
    assert end_of("2026-12", "UTC") == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["yesterdayish", "2026-13-01", "2026-02-30", "0001-01-01", "9999-12-31", "2026", "-"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    for read in (beginning_of, end_of):
        with pytest.raises(Refused, match="refused-no-day"):
            read(typed, BERLIN)


def test_suggested_days_are_those_of_the_zone() -> None:
    late = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert suggested(late, BERLIN)[0] == "2026-01-02"
    assert suggested(late, "UTC")[1] == "2025-12-31"
