"""The life of jobs in the database. Whatever belongs together is one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from bot.store.admission import (
    INSERT_JOB,
    RESERVE,
    account_of,
    end_job,
    refuse_crowd,
    refuse_hurry,
    refuse_known,
    reserve_usage,
    row_values,
    settle,
    sure,
)
from bot.store.database import Database
from bot.store.rows import Job, JobStatus, NewJob, NewResult, Result, to_ms
from pipeline.protocol.messages import Notice

_AVERAGED_JOBS: Final = 20

CLAIM: Final = """
UPDATE jobs SET status = 'running', attempt = attempt + 1, started_at = :now
WHERE job_id = (
    SELECT waiting.job_id
    FROM (
        SELECT min(job_id) AS job_id, requester_id FROM jobs
        WHERE status = 'queued' AND message_id IS NOT NULL GROUP BY requester_id
    ) AS waiting
    LEFT JOIN (
        SELECT requester_id, count(*) AS running FROM jobs WHERE status = 'running' GROUP BY requester_id
    ) AS busy USING (requester_id)
    WHERE ifnull(busy.running, 0) < :per_user
    ORDER BY
        ifnull(busy.running, 0),
        ifnull((SELECT max(started_at) FROM jobs AS past
            WHERE past.requester_id = waiting.requester_id AND past.created_at > :recently), 0),
        waiting.job_id
    LIMIT 1
)
RETURNING *
"""
"""Round robin: of those who wait, the one with the fewest running jobs, then the one served longest ago.

A job without a message was not acknowledged: nobody knows that it was accepted, so it does not start.
"""

POSITION: Final = """
SELECT count(*) FROM jobs WHERE status = 'queued' AND job_id <= ?
"""


class JobRepository:
    """Every statement about jobs, their ledger rows and their results."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(
        self, new: NewJob, *, limit: int | None, queued_per_user: int, cooldown_s: float, now: datetime
    ) -> Job:
        """Insert the job and reserve its price.

        Args:
            new: the job.
            limit: units of the period; None is without limit.
            queued_per_user: jobs of one member that may wait; 0 is without limit.
            cooldown_s: seconds between two jobs of a member; 0 is none.
            now: the time.

        Raises:
            AlreadyAccepted, CooldownActive, TooManyQueued, QuotaExceeded: nothing was written.
        """
        async with self._database.transaction() as connection:
            await refuse_known(connection, new)
            await refuse_hurry(connection, new, cooldown_s, now)
            await refuse_crowd(connection, new, queued_per_user)
            await reserve_usage(connection, new, limit)
            async with connection.execute(INSERT_JOB, row_values(new, now)) as cursor:
                job = Job.from_row(sure(await cursor.fetchone()))
            await connection.execute(RESERVE, (job.job_id, *account_of(job), job.price, to_ms(now)))
        return job

    async def claim_next(self, *, running_per_user: int, now: datetime | None = None) -> Job | None:
        """Take the next job out of the queue and count the attempt; None where nobody may start."""
        moment = now or datetime.now(UTC)
        values = {
            "now": to_ms(moment),
            "per_user": running_per_user or 1_000_000,
            "recently": to_ms(moment - timedelta(days=1)),
        }
        async with (
            self._database.transaction() as connection,
            connection.execute(CLAIM, values) as cursor,
        ):
            row = await cursor.fetchone()
        return None if row is None else Job.from_row(row)

    async def requeue(self, job_id: int) -> None:
        """Put a running job back at its old place."""
        await self._write("UPDATE jobs SET status = 'queued' WHERE job_id = ? AND status = 'running'", (job_id,))

    async def record_message(self, job_id: int, message_id: int) -> None:
        """Remember which message shows the job."""
        await self._write("UPDATE jobs SET message_id = ? WHERE job_id = ?", (message_id, job_id))

    async def request_cancel(self, job_id: int, actor_id: int) -> Job:
        """Remember who wants it stopped; the first one counts."""
        await self._write(
            "UPDATE jobs SET cancel_requested_by = ifnull(cancel_requested_by, ?) WHERE job_id = ?",
            (actor_id, job_id),
        )
        job = await self.get(job_id)
        if job is None:
            raise KeyError(job_id)
        return job

    async def store_results(
        self,
        job_id: int,
        *,
        results: Sequence[NewResult],
        notices: tuple[Notice, ...],
        denoise_s: float,
        total_s: float,
    ) -> Job:
        """Write what was drawn, before anybody is told. A second attempt replaces nothing."""
        async with self._database.transaction() as connection:
            await connection.executemany(
                "INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        job_id,
                        index,
                        item.sha256,
                        item.media_type,
                        item.width,
                        item.height,
                        item.size_bytes,
                        item.seed,
                    )
                    for index, item in enumerate(results)
                ],
            )
            async with connection.execute(
                "UPDATE jobs SET notices = ?, denoise_s = ?, total_s = ? WHERE job_id = ? RETURNING *",
                (msgspec.json.encode(notices).decode(), denoise_s, total_s, job_id),
            ) as cursor:
                return Job.from_row(sure(await cursor.fetchone()))

    async def deliver(self, job_id: int, *, images_delivered: int, now: datetime | None = None) -> bool:
        """Delivered and settled at once: charged for what arrived, the rest given back. False if it had ended."""
        moment = now or datetime.now(UTC)
        async with self._database.transaction() as connection:
            job = await end_job(connection, job_id, JobStatus.SUCCEEDED, None, None, moment)
            if job is None:
                return False
            captured = -(-job.price * images_delivered // job.request.num_images)
            await settle(connection, job, min(captured, job.price), moment)
        return True

    async def end(
        self,
        job_id: int,
        *,
        status: JobStatus,
        failure: str | None,
        error_id: str | None,
        now: datetime | None = None,
    ) -> Job | None:
        """End without delivery: everything is given back. None if it had ended before."""
        moment = now or datetime.now(UTC)
        async with self._database.transaction() as connection:
            job = await end_job(connection, job_id, status, failure, error_id, moment)
            if job is not None:
                await settle(connection, job, 0, moment)
        return job

    async def get(self, job_id: int) -> Job | None:
        """One job by its number."""
        row = await self._database.fetch_one("SELECT * FROM jobs WHERE job_id = ?", (job_id,))
        return None if row is None else Job.from_row(row)

    async def unfinished(self) -> list[Job]:
        """Every job that has not ended, oldest first."""
        rows = await self._database.fetch_all(
            "SELECT * FROM jobs WHERE status = 'queued' UNION ALL SELECT * FROM jobs WHERE status = 'running'"
            " ORDER BY job_id"
        )
        return [Job.from_row(row) for row in rows]

    async def queue_position(self, job_id: int) -> int:
        """1 for the next one, by order of arrival; at least 1."""
        row = await self._database.fetch_one(POSITION, (job_id,))
        return max(1, int(row[0])) if row else 1

    async def results(self, job_id: int) -> list[Result]:
        """The images of a job, in order."""
        rows = await self._database.fetch_all("SELECT * FROM results WHERE job_id = ? ORDER BY image_index", (job_id,))
        return [Result(**{name: row[name] for name in Result.__struct_fields__}) for row in rows]

    async def usage(self, guild_id: int, user_id: int, period_start: datetime) -> int:
        """Units used of a period, reserved ones included."""
        row = await self._database.fetch_one(
            "SELECT used FROM usage WHERE guild_id = ? AND user_id = ? AND period_start = ?",
            (guild_id, user_id, to_ms(period_start)),
        )
        return 0 if row is None else int(row[0])

    async def in_flight(self, guild_id: int, user_id: int) -> int:
        """Units reserved for jobs that have not ended."""
        row = await self._database.fetch_one(
            "SELECT ifnull(sum(price), 0) FROM ("
            " SELECT price, guild_id, requester_id FROM jobs WHERE status = 'queued'"
            " UNION ALL SELECT price, guild_id, requester_id FROM jobs WHERE status = 'running'"
            ") WHERE requester_id = ? AND guild_id = ?",
            (user_id, guild_id),
        )
        return 0 if row is None else int(row[0])

    async def average_seconds(self, model_key: str) -> float | None:
        """Mean duration of the model's last jobs; None before the first."""
        row = await self._database.fetch_one(
            "SELECT avg(total_s) FROM (SELECT total_s FROM jobs WHERE model_key = ? AND status = 'succeeded'"
            " ORDER BY job_id DESC LIMIT ?)",
            (model_key, _AVERAGED_JOBS),
        )
        return None if row is None or row[0] is None else float(row[0])

    async def _write(self, sql: str, values: Sequence[int | str | None]) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(sql, values)
