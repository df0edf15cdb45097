"""Jobs in the database. Changes that belong together are one transaction."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from bot.instruments import JOBS, UNITS
from bot.quotas.pricing import part
from bot.quotas.standing import Facts
from bot.store.admission import admit, end_job
from bot.store.members.facts import read_facts
from bot.store.queue import Place
from bot.store.register import insert_fingerprints
from bot.store.rows.failures import NOT_SHOWN, JobFailure
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.rows.origin import Asker
from bot.store.rows.outputs import NewFingerprint, NewOutput, Output
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Value, fetch_one, sure, to_json, to_ms
from config.areas.quotas import QuotaSettings
from pipeline.protocol.wire.outputs import Notice, Recipe

_HAS_HAD_NOTICE: Final = """
SELECT 1 FROM (SELECT notices FROM jobs WHERE requester_id = ? ORDER BY created_at DESC LIMIT 200)
WHERE notices LIKE ? LIMIT 1
"""
_KEPT_FROM: Final = f"""
SELECT * FROM jobs WHERE requester_id = :user AND created_at > :since AND guild_id = :guild AND status = 'failed'
    AND failure IN ({", ".join(f"'{failure}'" for failure in NOT_SHOWN)})
    AND ifnull(hold, 'allowed') = 'allowed' AND EXISTS (SELECT 1 FROM outputs WHERE outputs.job_id = jobs.job_id)
ORDER BY created_at DESC LIMIT :limit
"""  # noqa: S608 - ours
_INSERT_OUTPUT: Final = """
INSERT INTO outputs (job_id, output_index, kind, sha256, media_type, size_bytes, width, height, seed, rating)
VALUES (:job_id, :output_index, :kind, :sha256, :media_type, :size_bytes, :width, :height, :seed, :rating)
ON CONFLICT (job_id, output_index) DO NOTHING
"""
_REMOVE_FILE: Final = """
INSERT OR IGNORE INTO removals SELECT 'images', :sha256 WHERE :sha256 NOT IN (SELECT sha256 FROM outputs)
"""


class JobRepository:
    """All statements about one job, its ledger rows and its outputs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, new: NewJob, *, settings: QuotaSettings, now: datetime) -> tuple[Job, Place]:
        """Insert the job, reserve its price and place it in the queue; returns the job and its place.

        Args:
            new: the job.
            settings: the host's quota settings.
            now: the present time.

        Raises:
            AlreadyAccepted, NotAllowed, BudgetSpent, LedgerDisagrees: nothing was written.
        """
        return await self._database.write(admit, new, settings=settings, now=now)

    async def facts(self, asker: Asker, settings: QuotaSettings, now: datetime) -> Facts:
        """The present facts about a member."""
        return await self._database.read(read_facts, asker, settings, now)

    async def record_message(self, job_id: int, message_id: int) -> None:
        """Store the id of the job's message."""
        await self._database.change("UPDATE jobs SET message_id = ? WHERE job_id = ?", (message_id, job_id))

    async def note_opened(self, job_id: int) -> None:
        """Note that the channel of a job is not for adults any more."""
        await self._database.change("UPDATE jobs SET is_age_restricted = 0 WHERE job_id = ?", (job_id,))

    async def drop_outputs(self, job_id: int) -> None:
        """Drop the outputs of a job that nobody may see."""
        await self._database.change("DELETE FROM outputs WHERE job_id = ?", (job_id,))

    async def add_notice(self, job_id: int, notice: Notice) -> Job:
        """Add a notice to a job; returns the job with it."""
        row = await self._database.write(
            fetch_one,
            "UPDATE jobs SET notices = json_insert(notices, '$[#]', json(?)) WHERE job_id = ? RETURNING *",
            (to_json(notice), job_id),
        )
        return Job.from_row(sure(row))

    async def request_cancel(self, job_id: int, actor_id: int) -> Job:
        """Store who cancels the job; the first one counts. Returns the job.

        Raises:
            KeyError: there is no such job.
        """
        row = await self._database.write(
            fetch_one,
            "UPDATE jobs SET cancel_requested_by = ifnull(cancel_requested_by, ?) WHERE job_id = ? RETURNING *",
            (actor_id, job_id),
        )
        if row is None:
            raise KeyError(job_id)
        return Job.from_row(row)

    async def store_outputs(
        self,
        job_id: int,
        *,
        outputs: Sequence[NewOutput],
        fingerprints: tuple[NewFingerprint, ...] = (),
        notices: tuple[Notice, ...],
        denoise_s: float,
        total_s: float,
        recipe: Recipe | None = None,
    ) -> Job:
        """Store the outputs before anybody sees them. A second attempt replaces none of them.

        If the job was blanked meanwhile, nothing is stored, and the files are marked for removal.
        """
        rows: list[dict[str, Value]] = [{"job_id": job_id, **msgspec.structs.asdict(output)} for output in outputs]
        drawn = (
            to_json(notices),
            denoise_s,
            total_s,
            to_json(recipe),
            job_id,
        )
        return await self._database.write(_store_outputs, job_id, rows, fingerprints, drawn)

    async def deliver(self, job_id: int, *, outputs_delivered: int, now: datetime | None = None) -> bool:
        """Mark a job as delivered, charge the delivered outputs and refund the rest; False if it had already ended."""
        job = await self._database.write(
            end_job,
            job_id,
            JobStatus.SUCCEEDED,
            outputs_delivered=outputs_delivered,
            failure=None,
            error_id=None,
            now=now or datetime.now(UTC),
        )
        if job is not None:
            _count(job, outputs_delivered)
        return job is not None

    async def end(
        self,
        job_id: int,
        *,
        status: JobStatus,
        failure: JobFailure | None,
        error_id: str | None,
        now: datetime | None = None,
    ) -> Job | None:
        """End a job without delivery and refund it; None if it had already ended."""
        job = await self._database.write(
            end_job,
            job_id,
            status,
            outputs_delivered=0,
            failure=failure,
            error_id=error_id,
            now=now or datetime.now(UTC),
        )
        if job is not None:
            _count(job, 0)
        return job

    async def get(self, job_id: int) -> Job | None:
        """The job with this id; None if there is none."""
        row = await self._database.fetch_one("SELECT * FROM jobs WHERE job_id = ?", (job_id,))
        return None if row is None else Job.from_row(row)

    async def drawn_and_not_shown(self, guild_id: int, user_id: int, since: datetime, limit: int) -> list[Job]:
        """A member's newest jobs whose pictures exist and could not be shown."""
        values = {"guild": guild_id, "user": user_id, "since": to_ms(since), "limit": limit}
        return [Job.from_row(row) for row in await self._database.fetch_all(_KEPT_FROM, values)]

    async def shown_in(self, message_id: int) -> Job | None:
        """The job of a message; None if there is none."""
        row = await self._database.fetch_one("SELECT * FROM jobs WHERE message_id = ?", (message_id,))
        return None if row is None else Job.from_row(row)

    async def has_had_notice(self, user_id: int, key: str) -> bool:
        """Whether one of the member's newest jobs has this notice."""
        row = await self._database.fetch_one(_HAS_HAD_NOTICE, (user_id, f'%"key":"{key}"%'))
        return row is not None

    async def outputs(self, job_id: int) -> list[Output]:
        """The outputs of a job by their index."""
        rows = await self._database.fetch_all("SELECT * FROM outputs WHERE job_id = ? ORDER BY output_index", (job_id,))
        return [Output.from_row(row) for row in rows]


def _store_outputs(
    connection: sqlite3.Connection,
    job_id: int,
    outputs: Sequence[dict[str, Value]],
    fingerprints: tuple[NewFingerprint, ...],
    drawn: tuple[Value, ...],
) -> Job:
    before = Job.from_row(sure(fetch_one(connection, "SELECT * FROM jobs WHERE job_id = ?", (job_id,))))
    if before.blanked_for is not None:
        connection.executemany(_REMOVE_FILE, [{"sha256": output["sha256"]} for output in outputs])
        return before
    connection.executemany(_INSERT_OUTPUT, outputs)
    insert_fingerprints(connection, job_id, fingerprints)
    row = fetch_one(
        connection,
        "UPDATE jobs SET notices = ?, denoise_s = ?, total_s = ?, recipe = ? WHERE job_id = ? RETURNING *",
        drawn,
    )
    return Job.from_row(sure(row))


def _count(job: Job, outputs_delivered: int) -> None:
    """Count a job that just ended."""
    JOBS.labels(job.kind, job.status, job.failure or "").inc()
    UNITS.labels(job.kind).inc(part(job.price, delivered=outputs_delivered, requested=job.request.output_count))
