"""The ledger: units move in and out of pots by rows that are never changed (reserve, settle, grant, adjust).

Functions with a connection are steps of a caller's transaction.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from bot.quotas.rules import Rules
from bot.quotas.standing import NO_LIMIT, starts_of
from bot.store.members.facts import read_rules
from bot.store.members.servers import Decision, audit
from bot.store.rows.jobs import Job
from bot.store.rows.origin import Asker
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, from_ms, sure, to_ms
from config.areas.quotas import QuotaSettings

ADMIT: Final = """
INSERT INTO postings (entry_id, pot_id, held, spent)
WITH payable AS (
    SELECT pot_id, 1 AS is_last, NULL AS expires_at, max(0, :limit - held - spent) AS available
    FROM pots WHERE pot_id = :period_pot
    UNION ALL
    SELECT pot_id, 0, expires_at, amount - held - spent
    FROM pots WHERE guild_id = :guild AND user_id = :user AND kind = 'bonus' AND :limit < :no_limit
        AND amount > held + spent AND ifnull(expires_at, :now + 1) > :now
), ordered AS (
    SELECT pot_id, available,
        sum(available) OVER (ORDER BY is_last, expires_at IS NULL, expires_at, pot_id) - available AS before
    FROM payable
), allowed AS (
    SELECT 1 WHERE (SELECT sum(available) FROM payable) >= :price
        AND (SELECT held + spent FROM pots WHERE pot_id = :pool_pot) + :price <= :pool_limit
)
SELECT :entry, pot_id, min(available, :price - before), 0 FROM ordered, allowed
WHERE before < :price AND available > 0
UNION ALL SELECT :entry, :pool_pot, :price, 0 FROM allowed
"""
"""Admission and reservation in one statement. Bonuses are used first, in the order of their expiry, then the period's
units. The server's pool holds the same units too. Either the whole price is held, or no row is written."""

RESERVE: Final = """
INSERT INTO ledger (job_id, kind, guild_id, user_id, reserved, created_at) VALUES (?, 'reserve', ?, ?, ?, ?)
RETURNING entry_id
"""

SETTLE: Final = """
INSERT INTO ledger (job_id, kind, guild_id, user_id, captured, released, created_at)
VALUES (?, 'settle', ?, ?, ?, ?, ?) RETURNING entry_id
"""

SETTLE_POTS: Final = """
INSERT INTO postings (entry_id, pot_id, held, spent)
WITH paid AS (
    SELECT pot_id, postings.held, kind,
        sum(postings.held) OVER (
            PARTITION BY kind = 'pool' ORDER BY kind = 'period', expires_at IS NULL, expires_at, pot_id
        ) - postings.held AS before
    FROM postings JOIN pots USING (pot_id)
    WHERE entry_id = (SELECT entry_id FROM ledger WHERE job_id = :job AND kind = 'reserve')
)
SELECT :entry, pot_id, -held, max(0, min(held, :captured - before)) FROM paid
"""
"""The charge is taken from the pots in the order of the reservation. The rest is released."""

ENSURE_POT: Final = """
INSERT OR IGNORE INTO pots (guild_id, user_id, kind, period, period_start) VALUES (?, ?, ?, ?, ?)
"""

FIND_POT: Final = """
SELECT pot_id, held, spent FROM pots
WHERE guild_id = ? AND user_id = ? AND kind = ? AND period = ? AND period_start = ? AND kind <> 'bonus'
"""

ENTRIES: Final = """
SELECT * FROM ledger WHERE guild_id = ? AND user_id = ? ORDER BY created_at DESC, entry_id DESC LIMIT ?
"""

USE: Final = """
SELECT ledger.user_id, jobs.requester_name, jobs.model_key, ledger.captured, ledger.created_at,
    (SELECT count(*) FROM outputs WHERE outputs.job_id = jobs.job_id) AS outputs
FROM ledger JOIN jobs USING (job_id)
WHERE ledger.guild_id = ? AND ledger.created_at >= ? AND ledger.kind = 'settle' AND captured > 0
ORDER BY ledger.created_at
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a member's ledger."""

    entry_id: int
    job_id: int | None
    kind: str
    reserved: int
    captured: int
    released: int
    granted: int
    adjusted: int
    actor_id: int | None
    reason: str | None
    created_at: datetime


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A charged job."""

    user_id: int
    user_name: str
    model_key: str
    units: int
    outputs: int
    at: datetime


def reserve(connection: sqlite3.Connection, job: Job, rules: Rules, *, now: datetime, time_zone: str) -> bool:
    """Hold a job's price. False if it does not fit: a reserve row without postings remains; the caller rolls back."""
    member_start, pool_start = starts_of(rules, now, time_zone)
    pool = rules.pool or rules.member
    period_pot = _pot(connection, job.guild_id, job.requester_id, "period", rules.member.period, member_start)
    pool_pot = _pot(connection, job.guild_id, 0, "pool", pool.period, pool_start)
    values = (job.job_id, job.guild_id, job.requester_id, job.price, to_ms(now))
    entry_id = int(sure(fetch_one(connection, RESERVE, values))[0])
    admitted = change(
        connection,
        ADMIT,
        {
            "entry": entry_id,
            "guild": job.guild_id,
            "user": job.requester_id,
            "period_pot": period_pot,
            "pool_pot": pool_pot,
            "limit": NO_LIMIT if rules.member.amount is None else rules.member.amount,
            "pool_limit": NO_LIMIT if rules.pool is None or rules.pool.amount is None else rules.pool.amount,
            "no_limit": NO_LIMIT,
            "price": job.price,
            "now": to_ms(now),
        },
    )
    return admitted > 0


def settle(connection: sqlite3.Connection, job: Job, captured: int, now: datetime) -> None:
    """Charge for the delivered outputs, and return the rest to its pots.

    Raises:
        sqlite3.IntegrityError: the job was already settled, or never reserved.
    """
    values = (job.job_id, job.guild_id, job.requester_id, captured, job.price - captured, to_ms(now))
    entry_id = int(sure(fetch_one(connection, SETTLE, values))[0])
    connection.execute(SETTLE_POTS, {"entry": entry_id, "job": job.job_id, "captured": captured})


class LedgerRepository:
    """Admins' changes to quotas, and reports from the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def grant(self, by: Decision, user_id: int, amount: int, *, expires_at: datetime | None) -> None:
        """Grant a bonus to a member. It is used before the period's units.

        Args:
            by: the admin's decision.
            user_id: the member.
            amount: units, at least 1.
            expires_at: the bonus's expiry; None for never.
        """
        await self._database.write(_grant, by, user_id, amount, expires_at)

    async def reset(self, by: Decision, asker: Asker, settings: QuotaSettings) -> int:
        """Return the units charged in a member's current period; reserved units stay. Returns the number of units."""
        return await self._database.write(_reset, by, asker, settings)

    async def entries(self, guild_id: int, user_id: int, limit: int) -> list[Entry]:
        """A member's newest ledger rows in a server."""
        rows = await self._database.fetch_all(ENTRIES, (guild_id, user_id, limit))
        names = [name for name in Entry.__struct_fields__ if name != "created_at"]
        return [Entry(**{name: row[name] for name in names}, created_at=sure_time(row["created_at"])) for row in rows]

    async def use_since(self, guild_id: int, since: datetime) -> Sequence[Use]:
        """All jobs of a server charged since `since`, oldest first."""
        rows = await self._database.fetch_all(USE, (guild_id, to_ms(since)))
        return [
            Use(
                user_id=row["user_id"],
                user_name=row["requester_name"],
                model_key=row["model_key"],
                units=row["captured"],
                outputs=row["outputs"],
                at=sure_time(row["created_at"]),
            )
            for row in rows
        ]


def sure_time(value: int) -> datetime:
    """The time in a column that is never null.

    Raises:
        LookupError: the value is null.
    """
    moment = from_ms(value)
    if moment is None:
        raise LookupError("The database gave no time where there is always one.")
    return moment


def _grant(
    connection: sqlite3.Connection, by: Decision, user_id: int, amount: int, expires_at: datetime | None
) -> None:
    entry_id = _decide(connection, by, user_id, "grant", amount)
    row = fetch_one(
        connection,
        "INSERT INTO pots (guild_id, user_id, kind, period, period_start, amount, expires_at)"
        " VALUES (?, ?, 'bonus', '', ?, ?, ?) RETURNING pot_id",
        (by.guild_id, user_id, to_ms(by.now), amount, expires_at and to_ms(expires_at)),
    )
    connection.execute("INSERT INTO postings VALUES (?, ?, 0, 0)", (entry_id, sure(row)["pot_id"]))


def _reset(connection: sqlite3.Connection, by: Decision, asker: Asker, settings: QuotaSettings) -> int:
    rules = read_rules(connection, asker, settings)
    start, _ = starts_of(rules, by.now, settings.time_zone)
    pot_id = _pot(connection, by.guild_id, asker.user_id, "period", rules.member.period, start)
    spent = int(sure(fetch_one(connection, "SELECT spent FROM pots WHERE pot_id = ?", (pot_id,)))[0])
    entry_id = _decide(connection, by, asker.user_id, "adjust", -spent)
    connection.execute("INSERT INTO postings VALUES (?, ?, 0, ?)", (entry_id, pot_id, -spent))
    return spent


def _pot(connection: sqlite3.Connection, guild_id: int, user_id: int, kind: str, period: str, start: datetime) -> int:
    """The id of a period's pot. A missing pot is created."""
    values = (guild_id, user_id, kind, str(period), to_ms(start))
    connection.execute(ENSURE_POT, values)
    return int(sure(fetch_one(connection, FIND_POT, values))["pot_id"])


def _decide(
    connection: sqlite3.Connection, by: Decision, user_id: int, kind: Literal["grant", "adjust"], units: int
) -> int:
    """Write an admin's decision to the ledger and the audit log; returns the ledger entry's id."""
    audit(connection, by, f"quota-{kind}", f"<@{user_id}>", str(units))
    granted, adjusted = (units, 0) if kind == "grant" else (0, units)
    row = fetch_one(
        connection,
        "INSERT INTO ledger (kind, guild_id, user_id, granted, adjusted, actor_id, reason, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING entry_id",
        (kind, by.guild_id, user_id, granted, adjusted, by.actor_id, by.reason, to_ms(by.now)),
    )
    return int(sure(row)["entry_id"])
