"""Claims queued jobs, submits them to the backend, and follows each to its end."""

import asyncio
import contextlib
import math
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from bot.instruments import WAIT
from bot.jobs.delivering.delivery import Delivery
from bot.jobs.ending import Endings, Outcomes
from bot.jobs.image_checking import ImageChecking
from bot.jobs.preparing import Preparing
from bot.jobs.recovery import Recovery
from bot.jobs.running import TrackedJob, worth_saying
from bot.jobs.storing import Storing
from bot.jobs.waiting import WaitingLine
from bot.pictures.inputs import InputPictures
from bot.presenting.jobs.job_message import Prospect
from bot.store.images import StorageFailed
from bot.store.jobs import JobRepository
from bot.store.queue import Place, QueueRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Hold, Job, JobStatus
from pipeline.backends.base import Backend, WorkerUnavailable
from pipeline.protocol.wire.messages import Progress

SWEEP_INTERVAL_S: Final = 5.0
_UNOWNED_S: Final = 60.0
_STUCK_S: Final = 60.0
"""Seconds after which an idle loop counts as dead."""
HELD_FOR: Final = timedelta(days=1)
"""Time within which a moderator must allow a held job."""
_SWEPT_AT_ONCE: Final = 20

_log = structlog.get_logger(__name__)


class Dispatcher:
    """The only owner of jobs from `queued` to `running` and their end."""

    def __init__(
        self,
        *,
        waiting_line: WaitingLine,
        jobs: JobRepository,
        queue: QueueRepository,
        backend: Backend,
        storing: Storing,
        inputs: InputPictures,
        delivery: Delivery,
        preparing: Preparing,
        recovery: Recovery,
        image_checking: ImageChecking,
        running_per_user: int,
        job_timeout_s: float,
        max_wait: timedelta,
    ) -> None:
        self._waiting_line = waiting_line
        self._jobs = jobs
        self._queue = queue
        self._backend = backend
        self._storing = storing
        self._inputs = inputs
        self._delivery = delivery
        self._preparing = preparing
        self._recovery = recovery
        self._image_checking = image_checking
        self._running_per_user = running_per_user
        self._job_timeout_s = job_timeout_s
        self._max_wait = max_wait
        self._running: dict[tuple[int, int], TrackedJob] = {}
        self._endings = Endings(self.wake)
        self._outcomes = Outcomes(queue=queue, inputs=inputs, storing=storing, delivery=delivery, wake=self.wake)
        self._cancelled_early: set[int] = set()
        self._wake = asyncio.Event()
        self._is_draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._claimed_at = self._swept_at = math.inf
        backend.on_ready(self.wake)

    def wake(self) -> None:
        """Look for jobs to claim."""
        self._wake.set()

    @property
    def is_alive(self) -> bool:
        """Whether jobs are claimed and swept; True before `run`."""
        oldest = asyncio.get_running_loop().time() - _STUCK_S
        # A suspect job waits until all others are done. Nothing is claimed meanwhile.
        return self._swept_at > oldest and (self._claimed_at > oldest or bool(self._running))

    async def run(self) -> None:
        """Work until cancelled."""
        self._claimed_at = self._swept_at = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_forever(), name="claim jobs")
            group.create_task(self._follow_events(), name="follow jobs")
            group.create_task(self._sweep_forever(), name="end late jobs")
            group.create_task(self._catch_up_forever(), name="catch up with Discord")
            group.create_task(self._preparing.learn(), name="learn how long starts take")

    async def drain(self, timeout_s: float) -> None:
        """Claim no more jobs and wait `timeout_s` seconds for the running ones. The rest goes back to the queue."""
        self._is_draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        for running in [*self._running.values()]:
            await running.message.close()
            with contextlib.suppress(sqlite3.Error):  # the next start finds jobs that the database still calls running
                await self._queue.release(running.job.job_id)
        self._running.clear()
        await self._endings.wait(timeout_s)

    async def recover(self) -> None:
        """Find out about each job whose start or end was not seen. Call it after a start."""
        try:
            for job in await self._queue.unanswered():
                await self._recovery.find_message(job)
            for job in await self._queue.of_other_timelines():
                await self._recovery.settle_if_ended(job)
            for job in await self._queue.running():
                if not self._is_owned(job):
                    self._endings.begin(job, self._recovery.adopt(job))
        except sqlite3.Error as error:  # the sweeper finds the remaining jobs
            self._storing.note_failure(error)
        self.wake()

    async def cancel(self, job: Job, actor_id: int) -> bool:
        """Cancel a job: a waiting one at once, a running one at its next step; False if the job is already ending."""
        # The message id comes from the press, since the row may not have it yet.
        row = await self._jobs.request_cancel(job.job_id, actor_id)
        job = msgspec.structs.replace(row, message_id=job.message_id)
        key = (job.job_id, job.attempt)
        if key in self._running:
            self._running[key].job = job
            await self._backend.cancel(*key)
        elif job.status is JobStatus.QUEUED or (job.status is JobStatus.RUNNING and job.hold is Hold.HELD):
            await self._delivery.cancel(job, self._waiting_line.take(job))
        elif self._endings.has(job) or job.status is not JobStatus.RUNNING:
            return False
        else:
            # The job is claimed and not yet submitted.
            self._cancelled_early.add(job.job_id)
        return True

    def show_held(self, job: Job) -> None:
        """Deliver a held job that a moderator allows."""
        self._endings.begin(job, self._recovery.adopt(job))

    def end_held(self, job: Job, failure: JobFailure) -> None:
        """End a held job that nobody allows, and give its price back."""
        self._endings.begin(
            job, self._delivery.fail(job, self._waiting_line.take(job), failure, "not shown by moderators")
        )

    async def prospect(self, job: Job) -> Prospect:
        """A waiting job's position and its expected start; None if that is unknown or right now."""
        return await self.prospect_from(job, await self._queue.place_of(job))

    async def prospect_from(self, job: Job, place: Place) -> Prospect:
        """The prospect from a place that was just read."""
        is_starting = self._preparing.is_starting
        begins_at = await self._preparing.started_at() if is_starting else datetime.now(UTC)
        ahead_s = place.ahead_s + sum(running.left_s() for running in self._running.values())
        is_known = job.expected_ms > 0 or (is_starting and place.position == 1)
        starts_at = begins_at + timedelta(seconds=ahead_s) if begins_at is not None and is_known else None
        return Prospect(position=place.position, starts_at=worth_saying(starts_at), is_starting=is_starting)

    async def _claim_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._claimed_at = asyncio.get_running_loop().time()
            while self._may_claim():
                try:
                    job = await self._queue.claim_next(running_per_user=self._running_per_user, now=datetime.now(UTC))
                    if job is None:
                        break
                    self._storing.note_success()
                    if job.crashes:
                        await self._idle.wait()
                    await self._submit(job)
                except sqlite3.Error as error:
                    # A claimed job that was not submitted has no owner. The sweeper finds it.
                    self._storing.note_failure(error)
                    break

    def _may_claim(self) -> bool:
        """Whether a job may be claimed. A job that was running when a worker died runs alone, to spare the others."""
        is_one_suspect = any(running.job.crashes for running in self._running.values())
        is_held = self._is_draining or self._storing.is_waiting
        return self._backend.free_slots > 0 and not is_held and not is_one_suspect

    async def _submit(self, job: Job) -> None:
        running = TrackedJob(job, self._waiting_line.take(job))
        self._running[job.job_id, job.attempt] = running
        self._idle.clear()
        try:
            await self._backend.submit(
                job.job_id,
                job.attempt,
                job.request,
                pictures=await self._inputs.of(job.request),
                checking=await self._image_checking.of(job.request, job.origin),
            )
        except WorkerUnavailable:
            self._forget((job.job_id, job.attempt))
            await self._queue.release(job.job_id)
            return
        except StorageFailed as error:
            self._endings.begin(job, self._delivery.fail(job, running.message, JobFailure.INPUT_GONE, str(error)))
            self._forget((job.job_id, job.attempt))
            return
        WAIT.observe(max(0.0, (datetime.now(UTC) - job.created_at).total_seconds()))
        _log.info("job started", action="started", **job.log_context())
        if running.job.cancel_requested_by is not None or job.job_id in self._cancelled_early:
            # The press came before the worker knew the job.
            self._cancelled_early.discard(job.job_id)
            await self._backend.cancel(job.job_id, job.attempt)

    async def _follow_events(self) -> None:
        async for event in self._backend.events():
            running = self._running.get((event.job_id, event.attempt))
            if running is None:
                continue
            if isinstance(event, Progress):
                await running.show(event, self._preparing)
                continue
            self._endings.begin(running.job, self._outcomes.finish(running, event))
            self._forget((event.job_id, event.attempt))
            self.wake()

    def _forget(self, key: tuple[int, int]) -> None:
        del self._running[key]
        if not self._running:
            self._idle.set()

    async def _sweep_forever(self) -> None:
        """End each late or lost job. The supervisor handles a worker that does not react to a cancellation."""
        while True:
            await asyncio.sleep(min(SWEEP_INTERVAL_S, self._job_timeout_s))
            now = asyncio.get_running_loop().time()
            for (job_id, attempt), running in [*self._running.items()]:
                if now - running.started_at > self._job_timeout_s and not running.is_timed_out:
                    running.is_timed_out = True
                    await self._backend.cancel(job_id, attempt)
            try:
                await self._sweep_database(datetime.now(UTC))
                await self._waiting_line.refresh(self.prospect)
            except sqlite3.Error as error:
                self._storing.note_failure(error)
            self._swept_at = asyncio.get_running_loop().time()
            self.wake()

    async def _catch_up_forever(self) -> None:
        """Retry calls that Discord did not accept, in a task of its own. So the sweeper never waits for Discord."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            now = datetime.now(UTC)
            try:
                await self._delivery.say_again(now)
                for job in await self._queue.unanswered():
                    if job.created_at < now - timedelta(seconds=_UNOWNED_S):
                        await self._recovery.find_message(job)
            except sqlite3.Error as error:
                self._storing.note_failure(error)

    async def _sweep_database(self, now: datetime) -> None:
        """End jobs that waited too long, and adopt jobs without an owner."""
        long_ago = now - timedelta(seconds=_UNOWNED_S)
        for job in await self._queue.waiting_since_before(now - self._max_wait, _SWEPT_AT_ONCE):
            self._endings.begin(
                job, self._delivery.fail(job, self._waiting_line.take(job), JobFailure.WAITED, "waited too long")
            )
        for job in await self._queue.held_since_before(now - HELD_FOR, _SWEPT_AT_ONCE):
            if not self._is_owned(job):
                self.end_held(job, JobFailure.NOT_REVIEWED)
        for job in await self._queue.running():
            if not self._is_owned(job) and job.started_at is not None and job.started_at < long_ago:
                self._endings.begin(job, self._recovery.adopt(job))

    def _is_owned(self, job: Job) -> bool:
        return (job.job_id, job.attempt) in self._running or self._endings.has(job)
