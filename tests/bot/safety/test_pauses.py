"""Pauses after many refusals: they begin with the fifth within ten minutes, and end by themselves."""

from datetime import UTC, datetime, timedelta

from bot.safety.pauses import LENGTH, MAX_REFUSALS, WINDOW, Pauses

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ADA, BOB = (5, 1), (5, 2)
SECOND = timedelta(seconds=1)


def test_the_fifth_refusal_begins_a_pause_that_ends() -> None:
    pauses = Pauses()
    for number in range(MAX_REFUSALS):
        assert pauses.until(ADA, NOW + number * SECOND) is None
        pauses.note_refusal(ADA, NOW + number * SECOND)
    last = NOW + (MAX_REFUSALS - 1) * SECOND
    assert pauses.until(ADA, last) == last + LENGTH
    assert pauses.until(ADA, last + LENGTH - SECOND) == last + LENGTH
    assert pauses.until(ADA, last + LENGTH) is None
    assert pauses.until(BOB, last) is None
    assert pauses.until((6, 1), last) is None


def test_refusals_count_anew_after_a_pause() -> None:
    pauses = Pauses()
    for _ in range(MAX_REFUSALS):
        pauses.note_refusal(ADA, NOW)
    later = NOW + LENGTH
    pauses.note_refusal(ADA, later)
    assert pauses.until(ADA, later) is None


def test_old_refusals_do_not_count_and_are_forgotten() -> None:
    pauses = Pauses()
    for number in range(3 * MAX_REFUSALS):
        pauses.note_refusal(ADA, NOW + number * WINDOW / 4)
    assert pauses.until(ADA, NOW + 3 * MAX_REFUSALS * WINDOW / 4) is None
    pauses.note_refusal(BOB, NOW + 99 * WINDOW)
    assert set(pauses._refused) == {BOB}
