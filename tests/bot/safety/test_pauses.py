"""Pauses after many refusals: they begin with the fifth within ten minutes, and end by themselves."""

from datetime import UTC, datetime, timedelta

from bot.safety.pauses import MAX_REFUSALS, STEP, WINDOW, Pauses

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ADA, BOB = (5, 1), (5, 2)
SECOND = timedelta(seconds=1)


def test_the_fifth_refusal_is_one_too_many_and_they_count_anew() -> None:
    pauses = Pauses()
    said = [pauses.note_refusal(ADA, NOW + number * SECOND) for number in range(2 * MAX_REFUSALS)]
    assert said == [*[False] * (MAX_REFUSALS - 1), True] * 2


def test_a_pause_is_of_one_member_and_ends() -> None:
    pauses = Pauses()
    pauses.begin(ADA, NOW + STEP)
    assert pauses.until(ADA, NOW + STEP - SECOND) == NOW + STEP
    assert pauses.until(ADA, NOW + STEP) is None
    assert pauses.until(BOB, NOW) is None
    assert pauses.until((6, 1), NOW) is None


def test_old_refusals_do_not_count_and_are_forgotten() -> None:
    pauses = Pauses()
    assert not any(pauses.note_refusal(ADA, NOW + number * WINDOW / 4) for number in range(3 * MAX_REFUSALS))
    pauses.note_refusal(BOB, NOW + 99 * WINDOW)
    assert set(pauses._refused) == {BOB}
