"""Jobs and quota in a real SQLite file."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.store.admission import AlreadyAccepted, CooldownActive, QuotaExceeded, TooManyQueued
from bot.store.database import Database
from bot.store.jobs import CLAIM, POSITION, JobRepository
from bot.store.rows import Job, JobStatus, NewJob, NewResult
from tests.bot.store.conftest import NOW, PERIOD

Make = Callable[..., NewJob]


async def accept(jobs: JobRepository, new: NewJob, **rules: Any) -> Job:
    rules = {"limit": None, "queued_per_user": 0, "cooldown_s": 0.0, "now": NOW, **rules}
    job = await jobs.accept(new, **rules)
    await jobs.record_message(job.job_id, 1_000 + job.job_id)
    return job


async def test_a_job_reads_back_as_it_was_accepted(jobs: JobRepository, new_job: Make) -> None:
    job = await accept(jobs, new_job(1, price=3), limit=10)
    read = await jobs.get(job.job_id)
    assert read is not None
    assert read.message_id == 1_000 + job.job_id
    assert (read.status, read.price, read.period_start, read.created_at) == (JobStatus.QUEUED, 3, PERIOD, NOW)
    assert read.request == new_job(1).request
    assert await jobs.usage(5, 1, PERIOD) == 3
    assert await jobs.in_flight(5, 1) == 3


async def test_twenty_clicks_at_once_never_exceed_the_quota(jobs: JobRepository, new_job: Make) -> None:
    results = await asyncio.gather(
        *(accept(jobs, new_job(number), limit=3) for number in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, Job) for result in results) == 3
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 17
    assert await jobs.usage(5, 1, PERIOD) == 3


async def test_a_price_over_the_whole_quota_is_refused(jobs: JobRepository, new_job: Make) -> None:
    with pytest.raises(QuotaExceeded) as exceeded:
        await accept(jobs, new_job(1, price=4), limit=3)
    assert (exceeded.value.used, exceeded.value.limit, exceeded.value.price) == (0, 3, 4)
    assert await jobs.unfinished() == []


async def test_the_same_interaction_is_taken_once(jobs: JobRepository, new_job: Make) -> None:
    first = await accept(jobs, new_job(1))
    with pytest.raises(AlreadyAccepted) as known:
        await accept(jobs, new_job(1))
    assert known.value.job.job_id == first.job_id
    assert await jobs.usage(5, 1, PERIOD) == 1


async def test_a_full_queue_and_a_cooldown_refuse_without_a_trace(jobs: JobRepository, new_job: Make) -> None:
    await accept(jobs, new_job(1))
    with pytest.raises(TooManyQueued):
        await accept(jobs, new_job(2), queued_per_user=1)
    with pytest.raises(CooldownActive) as active:
        await accept(jobs, new_job(3), cooldown_s=10.0, now=NOW + timedelta(seconds=4))
    assert active.value.until == NOW + timedelta(seconds=10)
    await accept(jobs, new_job(4), cooldown_s=10.0, now=NOW - timedelta(days=1))
    assert await jobs.usage(5, 1, PERIOD) == 2


async def test_delivery_charges_once(jobs: JobRepository, new_job: Make) -> None:
    job = await accept(jobs, new_job(1, price=4), limit=10)
    assert await jobs.deliver(job.job_id, images_delivered=1)
    assert not await jobs.deliver(job.job_id, images_delivered=1)
    assert await jobs.end(job.job_id, status=JobStatus.FAILED, failure="x", error_id=None) is None
    ended = await jobs.get(job.job_id)
    assert ended is not None
    assert ended.status is JobStatus.SUCCEEDED
    assert ended.interaction_token is None
    assert await jobs.usage(5, 1, PERIOD) == 4


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
async def test_every_other_end_gives_everything_back(jobs: JobRepository, new_job: Make, status: JobStatus) -> None:
    job = await accept(jobs, new_job(1, price=4), limit=4)
    assert await jobs.end(job.job_id, status=status, failure="timeout", error_id="ab") is not None
    assert await jobs.end(job.job_id, status=status, failure="timeout", error_id="ab") is None
    assert await jobs.usage(5, 1, PERIOD) == 0
    await accept(jobs, new_job(2, price=4), limit=4)


async def test_the_ledger_adds_up_to_the_usage_whatever_happens(
    database: Database, jobs: JobRepository, new_job: Make
) -> None:
    dice = random.Random(1)  # noqa: S311 - a repeatable story, not a secret
    for number in range(1, 120):
        action = dice.randrange(4)
        if action == 0 or number < 5:
            new = new_job(number, user=dice.randrange(3), price=dice.randrange(1, 4))
            await asyncio.gather(accept(jobs, new, limit=12), return_exceptions=True)
        elif action == 1:
            await jobs.claim_next(running_per_user=2, now=NOW)
        else:
            job_id = dice.randrange(1, number)
            if action == 2:
                await jobs.deliver(job_id, images_delivered=1)
            else:
                await jobs.end(job_id, status=JobStatus.FAILED, failure="internal", error_id="x")
        rows = await database.fetch_all(
            "SELECT user_id, used, (SELECT sum(reserved) - sum(released) FROM ledger"
            " WHERE ledger.user_id = usage.user_id) AS sum FROM usage"
        )
        assert all(row["used"] == row["sum"] and 0 <= row["used"] <= 12 for row in rows)


@pytest.mark.parametrize("sql", ["UPDATE ledger SET reserved = 0", "DELETE FROM ledger"])
async def test_ledger_rows_stay(database: Database, jobs: JobRepository, new_job: Make, sql: str) -> None:
    await accept(jobs, new_job(1))
    with pytest.raises(sqlite3.IntegrityError, match="ledger rows are never"):
        async with database.transaction() as connection:
            await connection.execute(sql)


async def test_a_settle_must_add_up(database: Database, jobs: JobRepository, new_job: Make) -> None:
    job = await accept(jobs, new_job(1, price=3))
    with pytest.raises(sqlite3.IntegrityError, match="must add up"):
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO ledger (job_id, kind, guild_id, user_id, period_start, captured, released, created_at)"
                " VALUES (?, 'settle', 5, 1, 0, 1, 1, 0)",
                (job.job_id,),
            )


async def test_claims_go_round_between_members(jobs: JobRepository, new_job: Make) -> None:
    for number, user in enumerate([1, 1, 1, 2, 3], start=1):
        await accept(jobs, new_job(number, user=user))
    claimed = []
    for second in range(5):
        job = await jobs.claim_next(running_per_user=0, now=NOW + timedelta(seconds=second))
        assert job is not None
        claimed.append(job.requester_id)
        await jobs.deliver(job.job_id, images_delivered=1)
    assert claimed == [1, 2, 3, 1, 1]
    assert await jobs.claim_next(running_per_user=0, now=NOW) is None


async def test_a_member_runs_no_more_than_allowed(jobs: JobRepository, new_job: Make) -> None:
    await accept(jobs, new_job(1))
    await accept(jobs, new_job(2))
    first = await jobs.claim_next(running_per_user=1, now=NOW)
    assert first is not None
    assert (first.attempt, first.status) == (1, JobStatus.RUNNING)
    assert await jobs.claim_next(running_per_user=1, now=NOW) is None
    await jobs.requeue(first.job_id)
    again = await jobs.claim_next(running_per_user=1, now=NOW)
    assert again is not None
    assert (again.job_id, again.attempt) == (first.job_id, 2)


async def test_a_job_that_nobody_saw_accepted_does_not_start(jobs: JobRepository, new_job: Make) -> None:
    await jobs.accept(new_job(1), limit=None, queued_per_user=0, cooldown_s=0, now=NOW)
    assert await jobs.claim_next(running_per_user=0, now=NOW) is None


async def test_results_are_kept_once(jobs: JobRepository, new_job: Make) -> None:
    job = await accept(jobs, new_job(1))
    result = NewResult(sha256="ab", media_type="image/png", width=1, height=2, size_bytes=3, seed=4)
    await jobs.store_results(job.job_id, results=[result], notices=(), denoise_s=1.0, total_s=1.5)
    stored = await jobs.store_results(job.job_id, results=[result], notices=(), denoise_s=1.0, total_s=2.0)
    assert stored.total_s == 2.0
    (read,) = await jobs.results(job.job_id)
    assert (read.sha256, read.image_index, read.seed) == ("ab", 0, 4)
    assert await jobs.average_seconds("pocket") is None
    await jobs.deliver(job.job_id, images_delivered=1)
    assert await jobs.average_seconds("pocket") == 2.0


async def test_claim_and_position_never_look_through_history(database: Database) -> None:
    values = {"now": 0, "per_user": 1, "recently": 0}
    for sql, bound in ((CLAIM, values), (POSITION, (1,))):
        plan = [str(row["detail"]) for row in await database.fetch_all(f"EXPLAIN QUERY PLAN {sql}", bound)]
        scans = [line for line in plan if "SCAN jobs" in line]
        assert all("USING INDEX jobs_queued" in line or "jobs_running" in line for line in scans), plan
