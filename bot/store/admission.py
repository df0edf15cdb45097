"""The steps inside the two transactions that move quota: accepting a job, and ending one."""

from datetime import datetime, timedelta
from typing import Final

import aiosqlite
import msgspec

from bot.store.rows import Job, JobStatus, NewJob, from_ms, to_ms

_NO_LIMIT: Final = 2**62

INSERT_JOB: Final = """
INSERT INTO jobs (
    interaction_id, kind, parent_job_id, guild_id, channel_id, requester_id, requester_name, locale,
    filesize_limit, interaction_token, token_expires_at, request, model_key, notices, price, period_start,
    status, created_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)
RETURNING *
"""

ADMIT: Final = """
INSERT INTO usage (guild_id, user_id, period_start, used)
SELECT :guild, :user, :period, :price WHERE :price <= :limit
ON CONFLICT (guild_id, user_id, period_start) DO UPDATE SET used = used + :price WHERE used + :price <= :limit
RETURNING used
"""
"""Admission and reservation in one statement: no click can come between the look and the charge."""

RESERVE: Final = """
INSERT INTO ledger (job_id, kind, guild_id, user_id, period_start, reserved, created_at)
VALUES (?, 'reserve', ?, ?, ?, ?, ?)
"""

SETTLE: Final = """
INSERT OR IGNORE INTO ledger (job_id, kind, guild_id, user_id, period_start, captured, released, created_at)
VALUES (?, 'settle', ?, ?, ?, ?, ?, ?)
"""

GIVE_BACK: Final = """
UPDATE usage SET used = used - ? WHERE guild_id = ? AND user_id = ? AND period_start = ?
"""


class AlreadyAccepted(Exception):
    """Discord sent the same interaction before."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.job_id)
        self.job = job


class CooldownActive(Exception):
    """The member's last job was a moment ago."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class TooManyQueued(Exception):
    """The member has as many jobs waiting as are allowed."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class QuotaExceeded(Exception):
    """The price does not fit into what is left of the period."""

    def __init__(self, *, used: int, limit: int, price: int) -> None:
        super().__init__(used, limit, price)
        self.used = used
        self.limit = limit
        self.price = price


async def refuse_known(connection: aiosqlite.Connection, new: NewJob) -> None:
    """Raise `AlreadyAccepted` where this interaction made a job before."""
    async with connection.execute("SELECT * FROM jobs WHERE interaction_id = ?", (new.interaction_id,)) as cursor:
        row = await cursor.fetchone()
    if row is not None:
        raise AlreadyAccepted(Job.from_row(row))


async def refuse_hurry(connection: aiosqlite.Connection, new: NewJob, cooldown_s: float, now: datetime) -> None:
    """Raise `CooldownActive` where the member's last job is too recent; a clock that went back refuses nobody."""
    if not cooldown_s:
        return
    async with connection.execute(
        "SELECT max(created_at) FROM jobs WHERE requester_id = ?", (new.requester_id,)
    ) as cursor:
        last = from_ms(sure(await cursor.fetchone())[0])
    if last is None:
        return
    until = last + timedelta(seconds=cooldown_s)
    if last <= now < until:
        raise CooldownActive(until)


async def refuse_crowd(connection: aiosqlite.Connection, new: NewJob, queued_per_user: int) -> None:
    """Raise `TooManyQueued` where the member has enough jobs waiting."""
    if not queued_per_user:
        return
    async with connection.execute(
        "SELECT count(*) FROM jobs WHERE status = 'queued' AND requester_id = ?", (new.requester_id,)
    ) as cursor:
        count = int(sure(await cursor.fetchone())[0])
    if count >= queued_per_user:
        raise TooManyQueued(count)


async def reserve_usage(connection: aiosqlite.Connection, new: NewJob, limit: int | None) -> None:
    """Take the price out of the period, or raise `QuotaExceeded`."""
    values = {
        "guild": new.guild_id,
        "user": new.requester_id,
        "period": to_ms(new.period_start),
        "price": new.price,
        "limit": _NO_LIMIT if limit is None else limit,
    }
    async with connection.execute(ADMIT, values) as cursor:
        if await cursor.fetchone() is not None:
            return
    async with connection.execute(
        "SELECT used FROM usage WHERE guild_id = :guild AND user_id = :user AND period_start = :period",
        values,
    ) as cursor:
        row = await cursor.fetchone()
    raise QuotaExceeded(used=0 if row is None else int(row[0]), limit=limit or 0, price=new.price)


async def end_job(
    connection: aiosqlite.Connection,
    job_id: int,
    status: JobStatus,
    failure: str | None,
    error_id: str | None,
    now: datetime,
) -> Job | None:
    """The one change from open to ended; None where somebody else was first."""
    async with connection.execute(
        "UPDATE jobs SET status = ?, failure = ?, error_id = ?, finished_at = ?, interaction_token = NULL"
        " WHERE job_id = ? AND status IN ('queued', 'running') RETURNING *",
        (status, failure, error_id, to_ms(now), job_id),
    ) as cursor:
        row = await cursor.fetchone()
    return None if row is None else Job.from_row(row)


async def settle(connection: aiosqlite.Connection, job: Job, captured: int, now: datetime) -> None:
    """Charge what was delivered and give the rest back to the period that it came from; only once."""
    released = job.price - captured
    await connection.execute(SETTLE, (job.job_id, *account_of(job), captured, released, to_ms(now)))
    if released:
        await connection.execute(GIVE_BACK, (released, *account_of(job)))


def account_of(job: Job) -> tuple[int, int, int]:
    """Server, member and period that pay for a job."""
    return job.guild_id, job.requester_id, to_ms(job.period_start)


def row_values(new: NewJob, now: datetime) -> tuple[int | str | None, ...]:
    """The values of `INSERT_JOB`, in its order."""
    return (
        new.interaction_id,
        new.kind,
        new.parent_job_id,
        new.guild_id,
        new.channel_id,
        new.requester_id,
        new.requester_name,
        new.locale,
        new.filesize_limit,
        new.interaction_token,
        to_ms(new.token_expires_at),
        msgspec.json.encode(new.request).decode(),
        new.request.model_key,
        msgspec.json.encode(new.notices).decode(),
        new.price,
        to_ms(new.period_start),
        to_ms(now),
    )


def sure(row: aiosqlite.Row | None) -> aiosqlite.Row:
    """A row that a statement with RETURNING or an aggregate always gives."""
    if row is None:
        raise LookupError("The database gave no row where there is always one.")
    return row
