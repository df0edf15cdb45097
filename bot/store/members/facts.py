"""Facts about a member in the database, for `bot.quotas.standing`."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.quotas.rules import Rule, Rules, SetRule, Subject, effective
from bot.quotas.standing import Bonus, Facts, QueueState, starts_of
from bot.store.rows.origin import Asker
from bot.store.sqlite.statements import fetch_all, fetch_one, from_ms, sure, to_json, to_ms
from config.areas.quotas import Period, QuotaSettings

RULES: Final = """
SELECT subject, subject_id, amount, period FROM quota_rules
WHERE guild_id = :guild AND (
    subject IN ('server', 'pool') OR subject = 'user' AND subject_id = :user
    OR subject = 'role' AND subject_id IN (SELECT value FROM json_each(:roles))
)
"""

STATE: Final = """
SELECT
    ifnull((SELECT queue_state FROM servers WHERE guild_id = :guild), 'open') AS queue_state,
    EXISTS (SELECT 1 FROM blocks WHERE guild_id = :guild AND user_id = :user AND ifnull(until, :now + 1) > :now)
        AS is_blocked,
    (SELECT until FROM blocks WHERE guild_id = :guild AND user_id = :user) AS blocked_until,
    (SELECT reason FROM blocks WHERE guild_id = :guild AND user_id = :user) AS block_reason,
    coalesce(
        (SELECT is_allowed FROM channel_rules WHERE guild_id = :guild AND channel_id = :channel),
        (SELECT is_allowed FROM channel_rules WHERE guild_id = :guild AND channel_id = :parent),
        NOT EXISTS (SELECT 1 FROM channel_rules WHERE guild_id = :guild AND is_allowed)
    ) AS is_channel_allowed,
    (SELECT queued FROM members WHERE guild_id = :guild AND user_id = :user) AS queued,
    (SELECT theoretical_at FROM members WHERE guild_id = :guild AND user_id = :user) AS theoretical_at
"""
"""A channel's own rule applies first, and for a thread then the rule of its channel. Without a rule a channel is
allowed, unless the server allows only named channels."""

BALANCES: Final = """
SELECT kind, period, amount, expires_at, held, spent FROM pots
WHERE guild_id = :guild AND user_id = :user AND kind = 'period' AND period = :period AND period_start = :start
    AND kind <> 'bonus'
UNION ALL
SELECT kind, period, amount, expires_at, held, spent FROM pots
WHERE guild_id = :guild AND user_id = :user AND kind = 'bonus' AND amount > spent
    AND ifnull(expires_at, :now + 1) > :now
UNION ALL
SELECT kind, period, amount, expires_at, held, spent FROM pots
WHERE guild_id = :guild AND user_id = 0 AND kind = 'pool' AND period = :pool_period AND period_start = :pool_start
    AND kind <> 'bonus'
"""
"""`kind <> 'bonus'` is redundant, but lets SQLite use the partial index."""


def read_facts(connection: sqlite3.Connection, asker: Asker, settings: QuotaSettings, now: datetime) -> Facts:
    """All facts that `standing` needs."""
    who: dict[str, str | int] = {"guild": asker.guild_id, "user": asker.user_id, "now": to_ms(now)}
    rules = read_rules(connection, asker, settings)
    where = {"channel": asker.channel_id, "parent": asker.parent_channel_id or 0}
    state = sure(fetch_one(connection, STATE, {**who, **where}))
    start, pool_start = starts_of(rules, now, settings.time_zone)
    pool = rules.pool or rules.member
    balances = {
        **who,
        "period": str(rules.member.period),
        "start": to_ms(start),
        "pool_period": str(pool.period),
        "pool_start": to_ms(pool_start),
    }
    rows = fetch_all(connection, BALANCES, balances)
    period = next((row for row in rows if row["kind"] == "period"), None)
    bonuses = [row for row in rows if row["kind"] == "bonus"]
    return Facts(
        rules=rules,
        now=now,
        spent=0 if period is None else period["spent"],
        held=0 if period is None else period["held"],
        bonuses=_in_order(bonuses),
        bonus_held=sum(row["held"] for row in bonuses),
        pool_used=sum(row["held"] + row["spent"] for row in rows if row["kind"] == "pool"),
        queued=state["queued"] or 0,
        theoretical_at=from_ms(state["theoretical_at"]),
        queue_state=QueueState(state["queue_state"]),
        is_blocked=bool(state["is_blocked"]),
        blocked_until=from_ms(state["blocked_until"]),
        block_reason=state["block_reason"],
        is_channel_allowed=bool(state["is_channel_allowed"]),
    )


def read_rules(connection: sqlite3.Connection, asker: Asker, settings: QuotaSettings) -> Rules:
    """The quota rules that apply to a member."""
    roles = to_json(asker.role_ids)
    rows = fetch_all(connection, RULES, {"guild": asker.guild_id, "user": asker.user_id, "roles": roles})
    return effective(set_rules(rows), Rule(amount=settings.amount_in(asker.guild_id), period=settings.period))


def set_rules(rows: Sequence[sqlite3.Row]) -> list[SetRule]:
    """Rules from rows of `quota_rules`."""
    return [
        SetRule(
            subject=Subject(row["subject"]),
            subject_id=row["subject_id"],
            amount=row["amount"],
            period=Period(row["period"]),
        )
        for row in rows
    ]


def _in_order(rows: Sequence[sqlite3.Row]) -> tuple[Bonus, ...]:
    """Bonuses with units left; the first to expire comes first."""
    bonuses = [
        Bonus(left=row["amount"] - row["held"] - row["spent"], expires_at=from_ms(row["expires_at"])) for row in rows
    ]
    left = [bonus for bonus in bonuses if bonus.left > 0]
    for_ever = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(left, key=lambda bonus: bonus.expires_at or for_ever))
