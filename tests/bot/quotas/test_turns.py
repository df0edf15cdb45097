"""Rounds worked out at the door, compared with deficit round robin as it is usually written: played to its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.quotas.turns import EXPRESS, MAX_JOB_ID, NORMAL, Turn, caught_up, lane_of, next_turn, queue_key

PRICES = st.lists(st.integers(1, 12), min_size=1, max_size=12)


def _rounds(prices: list[int], weight: int) -> list[int]:
    """The rounds that the door works out for a member's jobs."""
    turn, found = Turn(0, 0), list[int]()
    for price in prices:
        turn = next_turn(turn, price=price, weight=weight)
        found.append(turn.round)
    return found


def _played(prices: list[int], weight: int) -> list[int]:
    """The same, as Shreedhar and Varghese have it: each round adds the weight, then serves what it pays."""
    waiting, found, round_, deficit = list(prices), list[int](), 0, 0
    while waiting:
        round_ += 1
        deficit += weight
        while waiting and waiting[0] <= deficit:
            deficit -= waiting.pop(0)
            found.append(round_)
    return found


@given(PRICES, st.integers(1, 5))
def test_the_door_gives_the_rounds_that_playing_them_gives(prices: list[int], weight: int) -> None:
    assert _rounds(prices, weight) == _played(prices, weight)


@given(PRICES, st.integers(1, 5))
def test_a_member_saves_less_than_a_round_gives_and_owes_nothing(prices: list[int], weight: int) -> None:
    turn = Turn(0, 0)
    for price in prices:
        following = next_turn(turn, price=price, weight=weight)
        assert following.round >= turn.round
        assert 0 <= following.deficit < weight
        turn = following


@given(st.lists(PRICES, min_size=2, max_size=4))
def test_whoever_waits_is_served_within_their_round(members: list[list[int]]) -> None:
    # After any round, those who still wait have been given the same units up to their largest job.
    most = max(price for prices in members for price in prices)
    last = max(_rounds(prices, 1)[-1] for prices in members)
    for end in range(1, last + 1):
        served = [
            sum(price for price, at in zip(prices, _rounds(prices, 1), strict=True) if at <= end)
            for prices in members
            if _rounds(prices, 1)[-1] > end
        ]
        assert not served or max(served) - min(served) < most


def test_who_had_nothing_waiting_begins_now_without_savings() -> None:
    assert caught_up(Turn(3, 2), 10) == Turn(10, 0)
    assert caught_up(Turn(10, 2), 10) == Turn(10, 2)
    assert caught_up(Turn(12, 2), 10) == Turn(12, 2)


KEYS = st.tuples(st.sampled_from([EXPRESS, NORMAL]), st.integers(0, 2**29 - 1), st.integers(1, MAX_JOB_ID))


@given(KEYS, KEYS)
def test_keys_order_by_lane_then_round_then_arrival(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    keys = [queue_key(lane, Turn(round_, 0), job_id) for lane, round_, job_id in (one, other)]
    assert (keys[0] < keys[1]) is (one < other)
    assert [lane_of(key) for key in keys] == [one[0], other[0]]
    # SQLite's integers have a sign.
    assert max(keys) < 2**63


def test_the_last_job_of_the_express_lane_comes_before_the_first_of_the_others() -> None:
    last = queue_key(EXPRESS, Turn(2**29 - 1, 0), 2**32 - 1)
    assert last < queue_key(NORMAL, Turn(0, 0), 1)
    assert lane_of(last) == EXPRESS


@pytest.mark.parametrize(("round_", "job_id"), [(2**29, 1), (1, 2**32)])
def test_a_key_that_would_run_into_the_next_field_is_refused(round_: int, job_id: int) -> None:
    with pytest.raises(OverflowError, match=r"^The queue has run out of rounds or job numbers\.$"):
        queue_key(NORMAL, Turn(round_, 0), job_id)
