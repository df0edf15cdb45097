"""Pauses begin with the fifth refusal within ten minutes."""

from datetime import UTC, datetime, timedelta

from bot.safety.pauses import MAX_REFUSALS, WINDOW, RefusalCount

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ADA, BOB = (5, 1), (5, 2)
SECOND = timedelta(seconds=1)


def test_the_fifth_refusal_is_one_too_many_and_they_count_anew() -> None:
    refusals = RefusalCount()
    said = [refusals.note(ADA, NOW + number * SECOND) for number in range(2 * MAX_REFUSALS)]
    assert said == [*[False] * (MAX_REFUSALS - 1), True] * 2


def test_old_refusals_do_not_count_and_are_forgotten() -> None:
    refusals = RefusalCount()
    assert not any(refusals.note(ADA, NOW + number * WINDOW / 4) for number in range(3 * MAX_REFUSALS))
    refusals.note(BOB, NOW + 99 * WINDOW)
    assert set(refusals._refused) == {BOB}
