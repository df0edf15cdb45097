"""Seconds of the queue's SQL statements with 10 to 100,000 waiting jobs, on real files with real syncs."""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.report import Report
from bot.quotas.turns import NORMAL, Turn, next_turn, queue_key
from bot.store.admission import insert_job
from bot.store.jobs import JobRepository
from bot.store.queue import QueueRepository, ensure_member
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.rows.origin import Asker, Origin, StartedBy
from bot.store.sqlite.database import Database
from config.areas.quotas import QuotaSettings
from pipeline.protocol.requests import GenerationRequest

_T = TypeVar("_T")
GOAL: Final = 2.0
RESTART_GOAL_S: Final = 2.0
ACCEPTS_GOAL: Final = 1_000
"""Durable accepts per second, of many members at once."""
SIZES: Final = (10, 100, 1_000, 10_000, 100_000)
ROUNDS: Final = 60
ACCEPTS: Final = 2_000
MEMBERS: Final = 50
_SETTINGS: Final = QuotaSettings(amount=0, queued_per_user=0, running_per_user=0)
_REQUEST: Final = GenerationRequest(
    prompt="a red apple",
    negative_prompt="",
    num_inference_steps=20,
    guidance_scale=5.0,
    width=64,
    height=64,
    scheduler_name="Euler",
    seed=7,
    num_images=1,
    model_key="pocket",
)


class Line:
    """A database with `size` waiting jobs, a tenth of them of one member."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.number = size
        self.seconds: dict[str, list[float]] = {}

    async def open(self) -> None:
        """Open the database."""
        self.database = await Database.open(self.path)
        self.jobs, self.queue = JobRepository(self.database), QueueRepository(self.database)

    async def fill(self) -> None:
        """Insert the jobs in one transaction, with the same order as single accepts."""
        await self.database.write(_fill, self.size)

    async def accept(self) -> Job:
        """Accept one more job; it is durable on return."""
        self.number += 1
        new = _new(self.number, 1 + self.number % MEMBERS)
        job, _ = await self.jobs.accept(new, settings=_SETTINGS, now=datetime.now(UTC))
        return job

    async def measure(self) -> None:
        """Time each statement once; the number of waiting jobs stays the same."""
        job = await self._timed("enqueue", self.accept)
        await self._timed("position", lambda: self.queue.place_of(job))
        claimed = await self._timed("next", self._claim)
        await self._timed("cancel", lambda: self._cancel(job))
        if claimed is not None:
            await self.queue.release(claimed.job_id)

    async def _claim(self) -> Job | None:
        return await self.queue.claim_next(running_per_user=0, now=datetime.now(UTC))

    async def _cancel(self, job: Job) -> Job | None:
        return await self.jobs.end(job.job_id, status=JobStatus.CANCELLED, failure=None, error_id=None)

    async def _timed(self, name: str, action: Callable[[], Awaitable[_T]]) -> _T:
        started = time.perf_counter()
        result = await action()
        self.seconds.setdefault(name, []).append(time.perf_counter() - started)
        return result


def run() -> Report:
    """Measure all sizes in turn, so that they share the state of the machine."""
    return asyncio.run(_run())


async def _run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        lines = [Line(Path(folder) / f"{size}.db", size) for size in SIZES]
        for line in lines:
            await line.open()
            await line.fill()
        for _ in range(ROUNDS):
            for line in lines:
                await line.measure()
        accepts_s = await _accept_many(lines[-1])
        for line in lines:
            await line.database.close()
        restart_s = await _restart(lines[-1])
    return _report(lines, accepts_s, restart_s)


async def _accept_many(line: Line) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(line.accept() for _ in range(ACCEPTS)))
    return time.perf_counter() - started


async def _restart(line: Line) -> float:
    """Seconds from opening the database to the first claimed job."""
    started = time.perf_counter()
    await line.open()
    await line.queue.running()
    await line.queue.waiting_since_before(datetime.now(UTC) - timedelta(days=1), 20)
    await line.queue.claim_next(running_per_user=0, now=datetime.now(UTC))
    seconds = time.perf_counter() - started
    await line.database.close()
    return seconds


def _report(lines: list[Line], accepts_s: float, restart_s: float) -> Report:
    ratios: dict[str, float] = {}
    detail: dict[str, float | int | str] = {}
    for name in lines[0].seconds:
        medians = [statistics.median(line.seconds[name]) for line in lines]
        ratios[name] = medians[-1] / medians[0]
        detail[f"{name}_ratio"] = ratios[name]
        detail[f"{name}_ms"] = ", ".join(f"{median * 1_000:.2f}" for median in medians)
    worst = max(ratios.values())
    accepts = ACCEPTS / accepts_s
    return Report(
        name="queue",
        goal=f"100,000 waiting cost <= {GOAL:g}x of 10; restart with 100,000 <= {RESTART_GOAL_S:g} s; "
        f">= {ACCEPTS_GOAL:,} durable accepts a second",
        value=worst,
        holds=worst <= GOAL and restart_s <= RESTART_GOAL_S and accepts >= ACCEPTS_GOAL,
        median=statistics.median(ratios.values()),
        minimum=min(ratios.values()),
        pairs=ROUNDS,
        detail={**detail, "durable_accepts_a_second": accepts, "restart_s": restart_s},
    )


def _fill(connection: sqlite3.Connection, size: int) -> None:
    turns: dict[int, Turn] = {}
    for number in range(size):
        user = 1 if number % 10 == 0 else 2 + number % MEMBERS
        new = _new(number, user)
        if user not in turns:
            ensure_member(connection, new)
        job = insert_job(connection, new, datetime.now(UTC))
        turns[user] = next_turn(turns.get(user, Turn(0, 0)), price=1, weight=1)
        connection.execute(
            "UPDATE jobs SET queue_key = ?, message_id = job_id WHERE job_id = ?",
            (queue_key(NORMAL, turns[user], job.job_id), job.job_id),
        )
    connection.executemany(
        "UPDATE members SET round = ? WHERE user_id = ?", [(turn.round, user) for user, turn in turns.items()]
    )


def _new(number: int, user: int) -> NewJob:
    return NewJob(
        origin=Origin(
            interaction_id=number + 1,
            interaction_token="token",  # noqa: S106 - no real token
            token_expires_at=datetime.now(UTC),
            started_by=StartedBy.IMAGINE,
            lineage=None,
            asker=Asker(guild_id=1, channel_id=1, user_id=user),
            requester_name="member",
            locale="en-US",
            filesize_limit=1,
            is_age_restricted=False,
            shown_guild_id=1,
        ),
        request=_REQUEST,
        notices=(),
        price=1,
        expected_ms=1_000,
    )
