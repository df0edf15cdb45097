"""A member's standing: what the member may start now, its price, and the next reset.

`/quota`, `/imagine` and every refusal read it here. The statement that takes the units checks the same conditions
again, so that two clicks at once cannot both take the last units.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from bot.quotas.periods import period_end, period_start
from bot.quotas.rules import Rules
from config.areas.quotas import Period, QuotaSettings

NO_LIMIT: Final = 2**62
"""A number that means no limit."""


class Bonus(msgspec.Struct, frozen=True, kw_only=True):
    """Units that an admin granted; with `expires_at` None they never expire."""

    left: int
    expires_at: datetime | None


class QueueState(StrEnum):
    """The state of a server's queue, set by its admins."""

    OPEN = "open"
    PAUSED = "paused"
    """Jobs are accepted, and wait."""
    DRAINING = "draining"
    """No job is accepted; waiting jobs are done."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a member at a moment.

    Attributes:
        rules: the member's rules.
        now: the moment.
        spent: units charged in the member's period.
        held: units of the period that are reserved for jobs under way.
        bonuses: bonuses with units left, in the order of use.
        bonus_held: units of bonuses that are reserved for jobs under way.
        pool_used: units of the server's period, charged or reserved; 0 without a pool.
        queued: the member's waiting jobs.
        theoretical_at: the time when the cooldown's allowance is full again (GCRA's theoretical arrival time).
        queue_state: the queue state of the member's server.
        is_blocked: whether an admin blocked the member, until `blocked_until` (None is for ever), for `block_reason`.
        is_channel_allowed: whether Easel may be used in the channel.
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
    """The reason why a member may not start a job now. If several apply, the first in this order is shown."""

    BLOCKED = "blocked"
    CHANNEL = "channel"
    DRAINING = "draining"
    COOLDOWN = "cooldown"
    QUEUED = "queued"
    TOO_BIG = "quota-too-big"
    QUOTA = "quota"
    POOL = "pool"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one job of a member.

    Attributes:
        price: units of the request.
        obstacle: why it may not start; None if it may.
        until: when the obstacle ends, if known.
        limit: units in the member's period; None without a limit.
        left: units that may be used now, with bonuses; None without a limit.
        spent: units charged in this period.
        in_flight: units reserved for jobs under way.
        bonuses: the units left of each bonus.
        resets_at: the beginning of the member's next period.
        period: the member's period.
        queued: the member's waiting jobs.
        reason: the admin's reason for a block.
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
    """The answer for several jobs of a member at once, if none of them begins to run meanwhile.

    Attributes:
        price: units of all of them.
        left: units that may be used now; None without a limit.
        startable: how many of the first jobs may start.
        in_the_way: the standing of the first job that may not start; None if all may.
    """

    price: int
    left: int | None
    startable: int
    in_the_way: Standing | None


def standing(facts: Facts, *, price: int, settings: QuotaSettings) -> Standing:
    """The standing of a member for one job.

    Args:
        facts: facts about the member.
        price: units of the job.
        settings: the host's quota settings.
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
    """The outlook of a member for several jobs, placed one after the other.

    Args:
        facts: facts about the member.
        prices: units of each job.
        settings: the host's quota settings.
    """
    now, after = standing(facts, price=sum(prices), settings=settings), facts
    for number, price in enumerate(prices):
        found = standing(after, price=price, settings=settings)
        if found.obstacle is not None:
            return Outlook(price=now.price, left=now.left, startable=number, in_the_way=found)
        after = _with_another(after, price, settings)
    return Outlook(price=now.price, left=now.left, startable=len(prices), in_the_way=None)


def starts_of(rules: Rules, now: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """The beginnings of the member's and the pool's current periods; without a pool, both are the member's."""
    member = period_start(now, rules.member.period, time_zone)
    return member, member if rules.pool is None else period_start(now, rules.pool.period, time_zone)


def cooldown_until(theoretical_at: datetime | None, now: datetime, interval_s: float, burst: int) -> datetime | None:
    """The time of the next allowed job; None if one is allowed now.

    GCRA (ITU-T I.371): with theoretical arrival time t, interval T and burst b, a job is allowed from t + T - b T.
    A t more than b T ahead was written before the clock was set back. It counts as b T ahead, so that nobody waits
    longer than T.
    """
    if not interval_s or theoretical_at is None:
        return None
    interval = timedelta(seconds=interval_s)
    allowed_at = min(theoretical_at, now + burst * interval) + interval - burst * interval
    return allowed_at if allowed_at > now else None


def _with_another(facts: Facts, price: int, settings: QuotaSettings) -> Facts:
    """The facts after one more job of this price is placed. Bonuses are used first."""
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
    """The first obstacle, and the time of its end if known."""
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
