"""The steps inside the two transactions that move quota: accepting a job, and ending one."""

from datetime import datetime
from typing import Final

import aiosqlite
import msgspec

from bot.quotas.pricing import part
from bot.quotas.standing import Standing
from bot.store.database import sure
from bot.store.ledger import settle
from bot.store.queue import close_gap
from bot.store.rows import Job, JobStatus, NewJob, to_ms

INSERT_JOB: Final = """
INSERT INTO jobs (
    interaction_id, kind, parent_job_id, parent_message_id, parent_image_index, guild_id, channel_id, requester_id,
    requester_name, locale, filesize_limit, interaction_token, token_expires_at, is_age_restricted, shown_guild_id,
    request, defaults, model_key, notices, price, expected_ms, role_ids, status, created_at,
    timeline
) VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, (SELECT number FROM timeline)
)
RETURNING *
"""


class AlreadyAccepted(Exception):
    """Discord sent the same interaction before."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.job_id)
        self.job = job


class NotAllowed(Exception):
    """Something is in the way, which the standing names; nothing was written."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.obstacle)
        self.standing = standing


class LedgerDisagrees(Exception):
    """The database refused what the rules allow: a fault of ours, so nothing is taken."""


async def refuse_known(connection: aiosqlite.Connection, new: NewJob) -> None:
    """Raise `AlreadyAccepted` where this interaction made a job before."""
    async with connection.execute("SELECT * FROM jobs WHERE interaction_id = ?", (new.interaction_id,)) as cursor:
        row = await cursor.fetchone()
    if row is not None:
        raise AlreadyAccepted(Job.from_row(row))


async def insert_job(connection: aiosqlite.Connection, new: NewJob, now: datetime) -> Job:
    """The row of a new job, which is in no queue yet."""
    values = (
        new.interaction_id,
        new.kind,
        new.lineage and new.lineage.parent_job_id,
        new.lineage and new.lineage.parent_message_id,
        new.lineage and new.lineage.parent_image_index,
        new.guild_id,
        new.channel_id,
        new.requester_id,
        new.requester_name,
        new.locale,
        new.filesize_limit,
        new.interaction_token,
        to_ms(new.token_expires_at),
        new.is_age_restricted,
        new.shown_guild_id,
        msgspec.json.encode(new.request).decode(),
        msgspec.json.encode(new.defaults).decode(),
        new.request.model_key,
        msgspec.json.encode(new.notices).decode(),
        new.price,
        new.expected_ms,
        msgspec.json.encode(new.role_ids).decode(),
        to_ms(now),
    )
    async with connection.execute(INSERT_JOB, values) as cursor:
        return Job.from_row(sure(await cursor.fetchone()))


async def end_job(
    connection: aiosqlite.Connection,
    job_id: int,
    status: JobStatus,
    *,
    images_delivered: int,
    failure: str | None,
    error_id: str | None,
    now: datetime,
) -> Job | None:
    """The one change from open to ended, with its settlement; None where somebody else was first."""
    async with connection.execute(
        "SELECT * FROM jobs WHERE job_id = ? AND status IN ('queued', 'running')", (job_id,)
    ) as cursor:
        row = await cursor.fetchone()
    if row is None:
        return None
    before = Job.from_row(row)
    async with connection.execute(
        "UPDATE jobs SET status = ?, failure = ?, error_id = ?, finished_at = ?, interaction_token = NULL"
        " WHERE job_id = ? RETURNING *",
        (status, failure, error_id, to_ms(now), job_id),
    ) as cursor:
        job = Job.from_row(sure(await cursor.fetchone()))
    if before.status is JobStatus.QUEUED:
        await close_gap(connection, before)
    captured = part(job.price, delivered=images_delivered, asked=job.request.num_images)
    await settle(connection, job, captured, now)
    return job
