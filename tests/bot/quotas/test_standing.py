"""What a member may do now."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.quotas.rules import Rule, Rules
from bot.quotas.standing import (
    Bonus,
    Facts,
    Obstacle,
    QueueState,
    Standing,
    cooldown_until,
    outlook,
    standing,
    starts_of,
)
from config.areas.quotas import Period, QuotaSettings

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 2, tzinfo=UTC)
NEXT_WEEK = datetime(2026, 5, 4, tzinfo=UTC)
DAY, WEEK = Period.DAY, Period.WEEK


def _facts(amount: int | None = 10, *, pool: Rule | None = None, **values: Any) -> Facts:
    return Facts(rules=Rules(member=Rule(amount=amount, period=DAY), pool=pool), now=NOW, **values)


def _ask(facts: Facts, price: int = 1, **settings: Any) -> Standing:
    return standing(facts, price=price, settings=QuotaSettings.model_validate(settings))


def test_what_is_left_is_the_limit_less_spent_and_held_plus_bonuses() -> None:
    bonuses = (Bonus(left=2, expires_at=MIDNIGHT), Bonus(left=3, expires_at=None))
    answer = _ask(_facts(spent=4, held=1, bonuses=bonuses, bonus_held=2, queued=1), price=2)
    assert (answer.limit, answer.left, answer.spent, answer.in_flight) == (10, 10, 4, 3)
    assert (answer.obstacle, answer.until, answer.price) == (None, None, 2)
    assert (answer.bonuses, answer.resets_at, answer.period, answer.queued) == (bonuses, MIDNIGHT, DAY, 1)


def test_a_limit_that_was_lowered_below_what_was_used_leaves_nothing_and_keeps_the_bonus() -> None:
    answer = _ask(_facts(3, spent=9, bonuses=(Bonus(left=2, expires_at=None),)), price=2)
    assert (answer.left, answer.obstacle) == (2, None)


def test_without_a_limit_nothing_is_counted() -> None:
    answer = _ask(_facts(None, spent=1_000), price=999)
    assert (answer.limit, answer.left, answer.obstacle) == (None, None, None)


def test_of_whom_nothing_is_known_all_is_left() -> None:
    answer = _ask(_facts(10, pool=Rule(amount=10, period=WEEK)), 10, queued_per_user=1)
    assert (answer.obstacle, answer.left, answer.bonuses) == (None, 10, ())
    assert (answer.spent, answer.in_flight, answer.queued) == (0, 0, 0)


@pytest.mark.parametrize(
    ("facts", "price", "obstacle", "until"),
    [
        (_facts(spent=10), 1, Obstacle.QUOTA, MIDNIGHT),
        (_facts(spent=7, held=2), 2, Obstacle.QUOTA, MIDNIGHT),
        (_facts(), 11, Obstacle.TOO_BIG, None),
        (_facts(0), 1, Obstacle.TOO_BIG, None),
        (_facts(bonuses=(Bonus(left=1, expires_at=None),), spent=1), 11, Obstacle.QUOTA, MIDNIGHT),
        (_facts(pool=Rule(amount=20, period=WEEK), pool_used=20), 1, Obstacle.POOL, NEXT_WEEK),
        (_facts(pool=Rule(amount=None, period=WEEK), pool_used=20), 1, None, None),
        (_facts(None, pool=Rule(amount=5, period=WEEK)), 6, Obstacle.POOL, NEXT_WEEK),
        (_facts(None, pool=Rule(amount=5, period=WEEK), pool_used=3), 2, None, None),
        (_facts(queued=5), 1, Obstacle.QUEUED, None),
        (_facts(queue_state=QueueState.DRAINING), 1, Obstacle.DRAINING, None),
        (_facts(queue_state=QueueState.PAUSED), 1, None, None),
        (_facts(is_channel_allowed=False), 1, Obstacle.CHANNEL, None),
        (_facts(is_blocked=True, blocked_until=MIDNIGHT), 1, Obstacle.BLOCKED, MIDNIGHT),
        (_facts(is_blocked=True), 1, Obstacle.BLOCKED, None),
    ],
)
def test_the_obstacle_and_when_it_goes_away(
    facts: Facts, price: int, obstacle: Obstacle | None, until: datetime | None
) -> None:
    answer = _ask(facts, price)
    assert (answer.obstacle, answer.until) == (obstacle, until)


def test_obstacles_are_told_in_their_order() -> None:
    everything: dict[str, Any] = {
        "is_blocked": True,
        "is_channel_allowed": False,
        "queue_state": QueueState.DRAINING,
        "theoretical_at": NOW + timedelta(seconds=30),
        "queued": 5,
        "spent": 10,
        "pool_used": 5,
    }
    facts = _facts(10, pool=Rule(amount=5, period=WEEK), **everything)
    clear = _facts(10)
    told: list[Obstacle | None] = []
    for names in (["is_blocked"], ["is_channel_allowed"], ["queue_state"], ["theoretical_at"], ["queued"], ["spent"]):
        told.append(_ask(facts, cooldown_s=60).obstacle)
        facts = msgspec.structs.replace(facts, **{name: getattr(clear, name) for name in names})
    told.append(_ask(facts, cooldown_s=60).obstacle)
    assert told == [obstacle for obstacle in Obstacle if obstacle is not Obstacle.TOO_BIG]


def test_a_blocks_reason_is_told() -> None:
    assert _ask(_facts(is_blocked=True, block_reason="rude")).reason == "rude"


@pytest.mark.parametrize(
    ("queued", "bound", "obstacle"),
    [(100, 0, None), (0, 1, None), (1, 1, Obstacle.QUEUED), (1, 2, None), (3, 2, Obstacle.QUEUED)],
)
def test_only_so_many_jobs_may_wait_and_a_bound_of_none_is_no_bound(
    queued: int, bound: int, obstacle: Obstacle | None
) -> None:
    assert _ask(_facts(queued=queued), queued_per_user=bound).obstacle is obstacle


@given(
    amount=st.none() | st.integers(0, 20),
    spent=st.integers(0, 20),
    held=st.integers(0, 20),
    bonus=st.integers(1, 9),
    price=st.integers(1, 30),
)
def test_what_is_left_is_exactly_what_may_be_asked_for(
    amount: int | None, spent: int, held: int, bonus: int, price: int
) -> None:
    facts = _facts(amount, spent=spent, held=held, bonuses=(Bonus(left=bonus, expires_at=None),))
    answer = _ask(facts, price)
    assert (answer.obstacle is None) is (answer.left is None or price <= answer.left)


def test_periods_of_member_and_pool_begin_each_at_their_own_time() -> None:
    member = Rule(amount=1, period=DAY)
    day, week = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 4, 27, tzinfo=UTC)
    weekly = Rule(amount=1, period=WEEK)
    assert starts_of(Rules(member=member, pool=None), NOW, "UTC") == (day, day)
    assert starts_of(Rules(member=member, pool=weekly), NOW, "UTC") == (day, week)
    assert starts_of(Rules(member=weekly, pool=member), NOW, "UTC") == (week, day)


def test_a_cooldown_lets_a_burst_through_and_then_one_an_interval() -> None:
    at: datetime | None = None
    started: list[float] = []
    for second in range(40):
        now = NOW + timedelta(seconds=second)
        if cooldown_until(at, now, 10, 3) is None:
            started.append(second)
            at = max(at or now, now) + timedelta(seconds=10)
    assert started == [0, 1, 2, 10, 20, 30]


def test_a_cooldown_says_when_and_none_is_none() -> None:
    assert cooldown_until(NOW + timedelta(seconds=10), NOW, 10, 1) == NOW + timedelta(seconds=10)
    assert cooldown_until(NOW + timedelta(seconds=10), NOW, 0, 1) is None
    assert cooldown_until(None, NOW, 10, 1) is None


@given(st.integers(0, 10**7), st.integers(1, 600), st.integers(1, 9))
def test_after_the_clock_went_back_nobody_waits_longer_than_one_interval(ahead: int, interval: int, burst: int) -> None:
    until = cooldown_until(NOW + timedelta(seconds=ahead), NOW, interval, burst)
    assert until is None or NOW < until <= NOW + timedelta(seconds=interval)


@given(
    amount=st.none() | st.integers(0, 20),
    spent=st.integers(0, 20),
    held=st.integers(0, 9),
    bonuses=st.lists(st.integers(1, 9), max_size=3),
    bonus_held=st.integers(0, 9),
    prices=st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
@example(amount=9, spent=1, held=2, bonuses=[3, 2], bonus_held=1, prices=[2] * 6)
def test_of_several_jobs_the_first_ones_start_that_can_be_paid(
    amount: int | None, spent: int, held: int, bonuses: list[int], bonus_held: int, prices: list[int]
) -> None:
    granted = tuple(Bonus(left=left, expires_at=None) for left in bonuses)
    facts = _facts(amount, spent=spent, held=held, bonuses=granted, bonus_held=bonus_held)
    seen = outlook(facts, prices=prices, settings=QuotaSettings(queued_per_user=0))
    left = None if amount is None else max(0, amount - spent - held) + sum(bonuses)
    assert (seen.price, seen.left) == (sum(prices), left)
    assert seen.startable == sum(left is None or total <= left for total in accumulate(prices))
    if left is None or seen.in_the_way is None:
        assert seen.startable == len(prices)
        return
    # What stands in the way is the first that cannot be paid, once those before it are held: bonuses first.
    paid = sum(prices[: seen.startable])
    assert seen.in_the_way.price == prices[seen.startable]
    assert (seen.in_the_way.left, seen.in_the_way.in_flight) == (left - paid, held + bonus_held + paid)
    gone = [
        min(bonus, max(0, paid - before)) for bonus, before in zip(bonuses, accumulate([0, *bonuses]), strict=False)
    ]
    assert [bonus.left for bonus in seen.in_the_way.bonuses] == [
        bonus - used for bonus, used in zip(bonuses, gone, strict=True)
    ]


@pytest.mark.parametrize(
    ("facts", "settings", "startable", "obstacle", "until"),
    [
        (_facts(queued=3), {"queued_per_user": 5}, 2, Obstacle.QUEUED, None),
        (_facts(pool=Rule(amount=9, period=WEEK), pool_used=3), {}, 3, Obstacle.POOL, NEXT_WEEK),
        (_facts(), {"cooldown_s": 60, "cooldown_burst": 2}, 2, Obstacle.COOLDOWN, NOW + timedelta(minutes=1)),
        # An allowance that has been whole for long counts no more than one that is whole now.
        (
            _facts(theoretical_at=NOW - timedelta(days=1)),
            {"cooldown_s": 60, "cooldown_burst": 2},
            2,
            Obstacle.COOLDOWN,
            NOW + timedelta(minutes=1),
        ),
        (
            _facts(theoretical_at=NOW + timedelta(seconds=50)),
            {"cooldown_s": 60, "cooldown_burst": 3},
            2,
            Obstacle.COOLDOWN,
            NOW + timedelta(seconds=50),
        ),
    ],
)
def test_jobs_that_wait_already_stand_in_the_way_of_the_next(
    facts: Facts, settings: dict[str, Any], startable: int, obstacle: Obstacle, until: datetime | None
) -> None:
    seen = outlook(facts, prices=[2] * 4, settings=QuotaSettings.model_validate(settings))
    assert seen.in_the_way is not None
    assert (seen.startable, seen.in_the_way.obstacle, seen.in_the_way.until) == (startable, obstacle, until)
    assert seen.in_the_way.queued == facts.queued + startable
