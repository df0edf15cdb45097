"""Claims queued jobs, hands them to the backend, and follows each to its one end."""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import discord
import msgspec
import structlog

from bot.jobs.conversation import JobMessage
from bot.jobs.delivery import Delivery
from bot.jobs.discord_calls import find_original
from bot.presenting import job_message
from bot.store.images import StorageFailed
from bot.store.jobs import JobRepository
from bot.store.rows import Job, JobStatus
from pipeline.backends.base import Backend, WorkerUnavailable
from pipeline.protocol.errors import RETRYABLE, FailureReason
from pipeline.protocol.messages import Failed, Finished, Progress

MAX_ATTEMPTS: Final = 2
"""A job that loses its worker is tried once more; then it may well be the cause."""
SWEEP_INTERVAL_S: Final = 5.0
_MIN_SHOWN_ETA_S: Final = 3.0
_PREVIEW_NAME: Final = "preview-{job_id}-{step}.webp"

_log = structlog.get_logger(__name__)


class RunningJob:
    """A claimed job, its message, and what we want of it."""

    def __init__(self, job: Job, message: JobMessage) -> None:
        self.job = job
        self.message = message
        self.preview: tuple[str, bytes] | None = None
        self.is_timed_out = False
        self.started_at = asyncio.get_running_loop().time()


class Dispatcher:
    """The only one who moves jobs from `queued` to `running` and on."""

    def __init__(
        self,
        *,
        client: discord.Client,
        jobs: JobRepository,
        backend: Backend,
        delivery: Delivery,
        running_per_user: int,
        job_timeout_s: float,
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._backend = backend
        self._delivery = delivery
        self._running_per_user = running_per_user
        self._job_timeout_s = job_timeout_s
        self._running: dict[tuple[int, int], RunningJob] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._is_draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        backend.on_ready(self.wake)

    def wake(self) -> None:
        """There may be something to claim."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_forever(), name="claim jobs")
            group.create_task(self._follow_events(), name="follow jobs")
            group.create_task(self._sweep_forever(), name="end late jobs")

    async def drain(self, timeout_s: float) -> None:
        """Claim nothing more and wait for what runs; what is left goes back to the queue."""
        self._is_draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        for running in [*self._running.values()]:
            await running.message.close()
            await self._jobs.requeue(running.job.job_id)
        self._running.clear()
        if self._ending:
            await asyncio.wait(self._ending, timeout=timeout_s)

    async def recover(self) -> None:
        """After a start: deliver what was drawn, and queue again what was running."""
        for job in await self._jobs.unfinished():
            if job.status is JobStatus.QUEUED:
                await self._find_message(job)
            elif await self._jobs.results(job.job_id):
                self._end(self._delivery.deliver(job, JobMessage(self._client, job)))
            elif job.attempt >= MAX_ATTEMPTS:
                self._end(
                    self._delivery.fail(
                        job, JobMessage(self._client, job), FailureReason.WORKER_DIED, "lost at a restart"
                    )
                )
            else:
                await self._jobs.requeue(job.job_id)
                _log.info("job queued again", action="recovered", **job.log_context())
        self.wake()

    async def _find_message(self, job: Job) -> None:
        """A job that was accepted but not seen to be acknowledged: Discord knows whether it was."""
        if job.message_id is not None:
            return
        try:
            message_id = await find_original(self._client, job)
        except (discord.HTTPException, aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            # It stays in the queue, unstarted; the next start asks again.
            _log.warning("not known whether acknowledged", action="unknown", error=repr(error), **job.log_context())
            return
        if message_id is None:
            await self._jobs.end(job.job_id, status=JobStatus.FAILED, failure="delivery", error_id=None)
            _log.info("unacknowledged job given back", action="recovered", **job.log_context())
        else:
            await self._jobs.record_message(job.job_id, message_id)

    async def cancel(self, job: Job, actor_id: int) -> None:
        """Stop a job: at once where it waits, at its next step where it runs."""
        # The id of the message comes from the press itself: the row may not know it yet.
        row = await self._jobs.request_cancel(job.job_id, actor_id)
        job = msgspec.structs.replace(row, message_id=job.message_id)
        key = (job.job_id, job.attempt)
        if job.status is JobStatus.QUEUED or key not in self._running:
            await self._delivery.cancel(job, JobMessage(self._client, job))
            return
        self._running[key].job = job
        await self._backend.cancel(*key)

    async def starts_at(self, job: Job, position: int) -> datetime | None:
        """When a waiting job may start, from what jobs of its model took; None while nothing is known."""
        average_s = await self._jobs.average_seconds(job.request.model_key)
        if average_s is None or average_s * position < _MIN_SHOWN_ETA_S:
            return None
        return datetime.now(UTC) + timedelta(seconds=average_s * position)

    async def _claim_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._backend.free_slots > 0 and not self._is_draining:
                job = await self._jobs.claim_next(running_per_user=self._running_per_user)
                if job is None:
                    break
                await self._hand_over(job)

    async def _hand_over(self, job: Job) -> None:
        running = RunningJob(job, JobMessage(self._client, job))
        self._running[job.job_id, job.attempt] = running
        self._idle.clear()
        try:
            await self._backend.submit(job.job_id, job.attempt, job.request)
        except WorkerUnavailable:
            self._forget((job.job_id, job.attempt))
            await self._jobs.requeue(job.job_id)
            return
        _log.info("job started", action="started", **job.log_context())

    async def _follow_events(self) -> None:
        async for event in self._backend.events():
            running = self._running.get((event.job_id, event.attempt))
            if running is None:
                continue
            if isinstance(event, Progress):
                self._show_progress(running, event)
                continue
            self._end(self._finish(running, event))
            self._forget((event.job_id, event.attempt))
            self.wake()

    def _forget(self, key: tuple[int, int]) -> None:
        del self._running[key]
        if not self._running:
            self._idle.set()

    def _show_progress(self, running: RunningJob, progress: Progress) -> None:
        job = running.job
        if progress.phase == "loading":
            running.message.show(job_message.loading(job))
            return
        preview_name = None
        files: list[tuple[str, bytes]] | None = None
        if progress.preview:
            preview_name = _PREVIEW_NAME.format(job_id=job.job_id, step=progress.step)
            files = [(preview_name, progress.preview)]
            running.preview = files[0]
        elif running.preview is not None:
            preview_name, _ = running.preview
            files = [running.preview]
        view = job_message.running(
            job,
            step=progress.step,
            total_steps=progress.total_steps,
            ends_at=_ends_at(progress),
            preview_name=preview_name,
        )
        running.message.show(view, files)

    async def _finish(self, running: RunningJob, event: Finished | Failed) -> None:
        """The one end of an attempt."""
        job = running.job
        if isinstance(event, Finished):
            try:
                job = await self._delivery.keep(job, event)
            except StorageFailed as error:
                await self._delivery.fail(job, running.message, FailureReason.INTERNAL, str(error))
                return
            await self._delivery.deliver(job, running.message)
        elif running.is_timed_out:
            await self._delivery.fail(job, running.message, FailureReason.TIMEOUT, event.detail)
        elif event.reason is FailureReason.CANCELLED or job.cancel_requested_by is not None:
            await self._delivery.cancel(job, running.message)
        elif event.reason in RETRYABLE and job.attempt < MAX_ATTEMPTS:
            await self._try_again(running, event)
        else:
            await self._delivery.fail(job, running.message, event.reason, event.detail)

    async def _try_again(self, running: RunningJob, event: Failed) -> None:
        job = running.job
        _log.warning("job tried again", action="retried", reason=event.reason, detail=event.detail, **job.log_context())
        await self._delivery.say(running.message, job, job_message.waiting_again(job))
        await self._jobs.requeue(job.job_id)
        self.wake()

    async def _sweep_forever(self) -> None:
        """End what runs too long. A worker that does not even obey is the supervisor's affair."""
        while True:
            await asyncio.sleep(min(SWEEP_INTERVAL_S, self._job_timeout_s))
            now = asyncio.get_running_loop().time()
            for (job_id, attempt), running in [*self._running.items()]:
                if now - running.started_at > self._job_timeout_s and not running.is_timed_out:
                    running.is_timed_out = True
                    await self._backend.cancel(job_id, attempt)

    def _end(self, ending: Coroutine[None, None, None]) -> None:
        """Upload beside the work, so that a slow network never keeps the next job waiting."""
        task = asyncio.create_task(ending)
        self._ending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("ending a job failed", action="end_failed", exc_info=error)


def _ends_at(progress: Progress) -> datetime | None:
    """From the pace so far; None in the first step and where it is not worth saying."""
    if progress.step == 0:
        return None
    left_s = progress.elapsed_s / progress.step * (progress.total_steps - progress.step)
    return datetime.now(UTC) + timedelta(seconds=left_s) if left_s >= _MIN_SHOWN_ETA_S else None
