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
from bot.jobs.image_checking import ImageChecking, is_looked_at
from bot.jobs.overdue import SWEEP_INTERVAL_S, Overdue
from bot.jobs.preparing import Preparing
from bot.jobs.recovery import Recovery
from bot.jobs.refusals import Refusals
from bot.jobs.running import RunningJobs, TrackedJob, worth_saying
from bot.jobs.storing import Storing
from bot.jobs.waiting import WaitingLine
from bot.pictures.inputs import InputPictures
from bot.presenting.jobs.job_message import Prospect
from bot.store.images import StorageFailed
from bot.store.jobs import JobRepository
from bot.store.queue import Place, QueueRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Hold, Job, JobStatus
from pipeline.backends.base import Backend, WorkerSilent, WorkerUnavailable
from pipeline.protocol.wire.messages import Progress

_STUCK_S: Final = 30.0
"""Seconds after which a loop counts as dead. The next beat says so, so it is seen within three quarters of a minute."""
_HANDED_AT_ONCE: Final = 8
"""Jobs that are handed to workers at the same time, so that a host that does not answer holds up no other."""

_log = structlog.get_logger(__name__)


class Dispatcher:
    """The only owner of jobs from `queued` to `running` and their end."""

    _group: asyncio.TaskGroup
    _is_draining = False
    _handing = 0

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
        overdue: Overdue,
        image_checking: ImageChecking,
        running_per_user: int,
        job_timeout_s: float,
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
        self._overdue = overdue
        self._image_checking = image_checking
        self._running_per_user = running_per_user
        self._job_timeout_s = job_timeout_s
        self._running = RunningJobs(backend.is_lasting)
        self._endings = Endings(self.wake)
        self._outcomes = Outcomes(
            queue=queue, inputs=inputs, storing=storing, delivery=delivery, settle=backend.settle, wake=self.wake
        )
        self._cancelled_early: set[int] = set()
        self._wake = asyncio.Event()
        self._refusals = Refusals(self.wake)
        self._claimed_at = self._swept_at = math.inf
        backend.on_ready(self.wake)

    def wake(self) -> None:
        """Look for jobs to claim."""
        self._wake.set()

    @property
    def is_alive(self) -> bool:
        """Whether jobs are claimed and swept; True before `run`."""
        oldest = asyncio.get_running_loop().time() - _STUCK_S
        return self._swept_at > oldest and self._claimed_at > oldest

    async def run(self) -> None:
        """Work until cancelled."""
        self._claimed_at = self._swept_at = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._claim_forever(), name="claim jobs")
            group.create_task(self._follow_events(), name="follow jobs")
            group.create_task(self._sweep_forever(), name="end late jobs")
            group.create_task(self._overdue.catch_up_forever(), name="catch up with Discord")
            group.create_task(self._preparing.learn(), name="learn how long starts take")

    async def drain(self, timeout_s: float) -> None:
        """Claim no more jobs and wait `timeout_s` seconds for the running ones. The rest goes back to the queue.

        What hosts draw they draw on, and the next start takes it over.
        """
        self._is_draining = True
        await self._running.wait_idle(timeout_s)
        for running in [*self._running.values()]:
            await running.message.close()
            if self._backend.is_lasting(running.job.job_id, running.job.attempt):
                continue
            if not self._recovery.may_repeat(running.job):
                continue  # the next start ends it
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
            await self._take_over([job for job in await self._queue.running() if not self._is_owned(job)])
        except sqlite3.Error as error:  # the sweeper finds the remaining jobs
            self._storing.note_failure(error)
            await self._backend.take_over({})
        self.wake()

    async def _take_over(self, jobs: list[Job]) -> None:
        """Go on with jobs of the last run that are still drawn, or were drawn meanwhile; find out about the others."""
        wanted = [job for job in jobs if not await self._jobs.outputs(job.job_id)]
        taken = await self._backend.take_over({(job.job_id, job.attempt): job.request for job in wanted})
        for job in jobs:
            key = (job.job_id, job.attempt)
            if key not in taken:
                self._endings.begin(job, self._recovery.adopt(job))
                continue
            self._running.add(TrackedJob(job, self._waiting_line.take(job)))
            _log.info("job goes on", action="taken_over", **job.log_context())
            if job.cancel_requested_by is not None:
                await self._backend.cancel(*key)

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
        self._overdue.end_held(job, failure, self._endings)

    async def prospect(self, job: Job) -> Prospect:
        """A waiting job's position and its expected start; None if that is unknown or right now."""
        return await self.prospect_from(job, await self._queue.place_of(job))

    async def prospect_from(self, job: Job, place: Place) -> Prospect:
        """The prospect from a place that was just read."""
        is_starting = self._preparing.is_starting
        begins_at = await self._preparing.started_at() if is_starting else datetime.now(UTC)
        ahead_s = place.ahead_s + self._running.left_s
        is_known = job.expected_ms > 0 or (is_starting and place.position == 1)
        starts_at = begins_at + timedelta(seconds=ahead_s) if begins_at is not None and is_known else None
        absent = self._preparing.absent_model(job)
        starts_at = None if absent else worth_saying(starts_at)
        return Prospect(position=place.position, starts_at=starts_at, is_starting=is_starting, absent_model=absent)

    async def _claim_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._may_claim():
                self._claimed_at = asyncio.get_running_loop().time()
                try:
                    job = await self._queue.claim_next(
                        running_per_user=self._running_per_user,
                        now=datetime.now(UTC),
                        models=self._backend.open_models,
                        without=self._refusals.ids,
                    )
                    if job is None:
                        break
                    self._storing.note_success()
                    # A suspect waits for an empty worker. What goes to others goes on.
                    is_counted = not job.crashes
                    self._handing += is_counted
                    self._group.create_task(self._hand_over(job, is_counted=is_counted), name=f"submit {job.job_id}")
                except sqlite3.Error as error:
                    self._storing.note_failure(error)
                    break
            self._claimed_at = asyncio.get_running_loop().time()

    def _may_claim(self) -> bool:
        """Whether a job may be claimed. What is being handed over may have its slot already or not."""
        slots = min(self._backend.free_slots, _HANDED_AT_ONCE)
        return self._handing < slots and not self._is_draining and not self._storing.is_waiting

    async def _hand_over(self, job: Job, *, is_counted: bool) -> None:
        try:
            await self._submit(job)
        except sqlite3.Error as error:
            # A claimed job that was not submitted has no owner. The sweeper finds it.
            self._storing.note_failure(error)
        finally:
            self._handing -= is_counted
            self.wake()

    async def _submit(self, job: Job) -> None:
        running = TrackedJob(job, self._waiting_line.take(job))
        self._running.add(running)
        try:
            await self._backend.submit(
                job.job_id,
                job.attempt,
                job.request,
                pictures=await self._inputs.of(job.request),
                checking=await self._image_checking.of(job.request, job.origin, is_looked_at=is_looked_at(job)),
                is_alone=job.crashes > 0,
            )
        except WorkerUnavailable as error:
            self._running.forget(job.job_id, job.attempt)
            self._refusals.note(job)
            await self._queue.release(job.job_id, was_handed_over=isinstance(error, WorkerSilent))
            return
        except StorageFailed as error:
            self._endings.begin(job, self._delivery.fail(job, running.message, JobFailure.INPUT_GONE, str(error)))
            self._running.forget(job.job_id, job.attempt)
            return
        running.begin()
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
                if not isinstance(event, Progress):
                    await self._backend.settle(event.job_id, event.attempt)
                continue
            if isinstance(event, Progress):
                await running.show(event, self._preparing)
                continue
            self._endings.begin(running.job, self._outcomes.finish(running, event))
            self._running.forget(event.job_id, event.attempt)
            self.wake()

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
                await self._overdue.sweep(datetime.now(UTC), self._endings, self._is_owned)
                await self._waiting_line.refresh(self.prospect)
            except sqlite3.Error as error:
                self._storing.note_failure(error)
            self._swept_at = asyncio.get_running_loop().time()
            self.wake()

    def _is_owned(self, job: Job) -> bool:
        return (job.job_id, job.attempt) in self._running or self._endings.has(job)
