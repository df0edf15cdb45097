"""The one answer to what a member may do now, what it costs, and when it starts anew.

`/quota`, `/imagine` and every refusal read it from here. The database asks the same question once more, in the
statement that takes the units, so that no two clicks can both be the last one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from bot.quotas.periods import period_end, period_start
from bot.quotas.rules import Rules
from config.settings import Period, QuotaSettings

NO_LIMIT: Final = 2**62
"""Stands for no limit where a number is needed."""


class Bonus(msgspec.Struct, frozen=True, kw_only=True):
    """Units granted by an admin; `expires_at` None is for ever."""

    left: int
    expires_at: datetime | None


class QueueState(StrEnum):
    """What a server's admins decided about its queue."""

    OPEN = "open"
    PAUSED = "paused"
    """Jobs are taken, and wait."""
    DRAINING = "draining"
    """Nothing is taken; what waits is done."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a member at a moment.

    Attributes:
        rules: what holds for them.
        now: the moment.
        spent: units charged in the member's period.
        held: units of the period that are reserved for jobs under way.
        bonuses: those with something left, in the order in which they are used.
        bonus_held: units of bonuses that are reserved for jobs under way.
        pool_used: units of the server's period, charged or reserved; 0 without a pool.
        queued: jobs of the member that wait.
        theoretical_at: when the cooldown's allowance is whole again (GCRA's theoretical arrival time).
        queue_state: of the member's server.
        is_blocked: whether an admin blocked them, until `blocked_until` (None is for good) for `block_reason`.
        is_channel_allowed: whether Easel may be used where they ask.
    """

    rules: Rules
    now: datetime
    spent: int = 0
    held: int = 0
    bonuses: tuple[Bonus, ...] = ()
    bonus_held: int = 0
    pool_used: int = 0
    queued: int = 0
    theoretical_at: datetime | None = None
    queue_state: QueueState = QueueState.OPEN
    is_blocked: bool = False
    blocked_until: datetime | None = None
    block_reason: str | None = None
    is_channel_allowed: bool = True


class Obstacle(StrEnum):
    """Why a member may not start a job now, in the order in which it is told."""

    BLOCKED = "blocked"
    CHANNEL = "channel"
    DRAINING = "draining"
    COOLDOWN = "cooldown"
    QUEUED = "queued"
    TOO_BIG = "quota-too-big"
    QUOTA = "quota"
    POOL = "pool"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        price: units of what was asked for.
        obstacle: why it may not start; None where it may.
        until: when the obstacle goes away, where that is known.
        limit: units of the member's period; None is without limit.
        left: units that may be used now, bonuses included; None is without limit.
        spent: units charged in this period.
        in_flight: units reserved for jobs under way.
        bonuses: what is left of each.
        resets_at: when the member's period starts anew.
        period: of the member.
        queued: jobs of the member that wait.
        reason: an admin's words for a block.
    """

    price: int
    obstacle: Obstacle | None
    until: datetime | None
    limit: int | None
    left: int | None
    spent: int
    in_flight: int
    bonuses: tuple[Bonus, ...]
    resets_at: datetime
    period: Period
    queued: int
    reason: str | None


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for several jobs at once, as long as none of them begins to run.

    Attributes:
        price: units of all of them.
        left: units that may be used now; None is without limit.
        startable: how many of them may start, the first ones.
        in_the_way: the standing before the first that may not; None where all may.
    """

    price: int
    left: int | None
    startable: int
    in_the_way: Standing | None


def standing(facts: Facts, *, price: int, settings: QuotaSettings) -> Standing:
    """What this member may do now.

    Args:
        facts: what is known.
        price: of what they ask for, in units.
        settings: of the host.
    """
    rule = facts.rules.member
    resets_at = period_end(facts.now, rule.period, settings.time_zone)
    left = None
    if rule.amount is not None:
        left = max(0, rule.amount - facts.spent - facts.held) + sum(bonus.left for bonus in facts.bonuses)
    obstacle, until = _obstacle(facts, price, left, resets_at, settings)
    return Standing(
        price=price,
        obstacle=obstacle,
        until=until,
        limit=rule.amount,
        left=left,
        spent=facts.spent,
        in_flight=facts.held + facts.bonus_held,
        bonuses=facts.bonuses,
        resets_at=resets_at,
        period=rule.period,
        queued=facts.queued,
        reason=facts.block_reason,
    )


def outlook(facts: Facts, *, prices: Sequence[int], settings: QuotaSettings) -> Outlook:
    """What this member may do with several jobs that are asked for at once, one after the other.

    Args:
        facts: what is known.
        prices: of the jobs, in units.
        settings: of the host.
    """
    now, after = standing(facts, price=sum(prices), settings=settings), facts
    for number, price in enumerate(prices):
        answer = standing(after, price=price, settings=settings)
        if answer.obstacle is not None:
            return Outlook(price=now.price, left=now.left, startable=number, in_the_way=answer)
        after = _with_another(after, price, settings)
    return Outlook(price=now.price, left=now.left, startable=len(prices), in_the_way=None)


def starts_of(rules: Rules, now: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """When the running periods of the member and of the pool began; without a pool, the member's twice."""
    member = period_start(now, rules.member.period, time_zone)
    return member, member if rules.pool is None else period_start(now, rules.pool.period, time_zone)


def cooldown_until(theoretical_at: datetime | None, now: datetime, interval_s: float, burst: int) -> datetime | None:
    """When the next job is allowed; None where one is allowed now.

    GCRA (ITU-T I.371): with theoretical arrival time t, interval T and burst b, a job is allowed from t + T - b T.
    A t further away than b T was written before the clock went back; it counts as b T, so that nobody waits
    longer than T.
    """
    if not interval_s or theoretical_at is None:
        return None
    interval = timedelta(seconds=interval_s)
    allowed_at = min(theoretical_at, now + burst * interval) + interval - burst * interval
    return allowed_at if allowed_at > now else None


def _with_another(facts: Facts, price: int, settings: QuotaSettings) -> Facts:
    """What is known once a job of this price waits; bonuses are used first."""
    owed, bonuses = price, list[Bonus]()
    for bonus in facts.bonuses:
        used = min(bonus.left, owed)
        owed -= used
        bonuses.append(msgspec.structs.replace(bonus, left=bonus.left - used))
    began = max(facts.theoretical_at or facts.now, facts.now)
    return msgspec.structs.replace(
        facts,
        held=facts.held + owed,
        bonuses=tuple(bonuses),
        bonus_held=facts.bonus_held + price - owed,
        pool_used=facts.pool_used + price,
        queued=facts.queued + 1,
        theoretical_at=began + timedelta(seconds=settings.cooldown_s),
    )


def _obstacle(
    facts: Facts, price: int, left: int | None, resets_at: datetime, settings: QuotaSettings
) -> tuple[Obstacle | None, datetime | None]:
    """The first thing in the way, and until when."""
    rules = facts.rules
    wait_until = cooldown_until(facts.theoretical_at, facts.now, settings.cooldown_s, settings.cooldown_burst)
    checks: list[tuple[bool, Obstacle, datetime | None]] = [
        (facts.is_blocked, Obstacle.BLOCKED, facts.blocked_until),
        (not facts.is_channel_allowed, Obstacle.CHANNEL, None),
        (facts.queue_state is QueueState.DRAINING, Obstacle.DRAINING, None),
        (wait_until is not None, Obstacle.COOLDOWN, wait_until),
        (0 < settings.queued_per_user <= facts.queued, Obstacle.QUEUED, None),
    ]
    if left is not None and rules.member.amount is not None:
        most = rules.member.amount + sum(bonus.left for bonus in facts.bonuses)
        checks.append((price > most, Obstacle.TOO_BIG, None))
        checks.append((price > left, Obstacle.QUOTA, resets_at))
    if rules.pool is not None and rules.pool.amount is not None:
        pool_resets_at = period_end(facts.now, rules.pool.period, settings.time_zone)
        checks.append((facts.pool_used + price > rules.pool.amount, Obstacle.POOL, pool_resets_at))
    return next(((obstacle, until) for is_met, obstacle, until in checks if is_met), (None, None))
