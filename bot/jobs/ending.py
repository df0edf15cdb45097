"""How attempts end: what is made of a worker's last word, and the tasks that do it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

import structlog

from bot.calls.errors import CallFailed
from bot.instruments import DELIVER, DRAW
from bot.jobs.delivering.delivery import Delivery
from bot.jobs.recovery import MAX_ATTEMPTS
from bot.jobs.running import TrackedJob
from bot.jobs.storing import Storing
from bot.pictures.inputs import InputPictures
from bot.presenting.jobs import job_message
from bot.provenance.signing import SigningFailed
from bot.store.images import StorageFailed
from bot.store.queue import QueueRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job
from pipeline.protocol.errors import CRASHES, RETRYABLE, FailureReason
from pipeline.protocol.wire.messages import Failed, Finished

_MAX_CRASHES: Final = 2
"""A job that loses its worker gets a second attempt, alone. If that fails too, the job is likely the cause."""
_log = structlog.get_logger(__name__)


class Endings:
    """Tasks that end jobs, one for each, so that a slow upload never delays the next job.

    Args:
        wake: called when one has ended.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.tasks: dict[asyncio.Task[None], int] = {}

    def begin(self, job: Job, ending: Coroutine[None, None, None]) -> None:
        """End a job in a task of its own."""
        task = asyncio.create_task(ending)
        self.tasks[task] = job.job_id
        task.add_done_callback(self._ended)

    def has(self, job: Job) -> bool:
        """Whether the job is being ended."""
        return job.job_id in self.tasks.values()

    async def wait(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` seconds for all of them."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=timeout_s)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self.tasks[task]
        self._wake()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("ending a job failed", action="end_failed", exc_info=error)


class Outcomes:
    """What a worker's last word about an attempt leads to.

    Args:
        queue: takes back jobs that are tried again.
        inputs: lets go of the pictures of a job that the image check refused.
        storing: keeps outputs.
        delivery: shows how a job ended.
        settle: called with job id and attempt when the end of an attempt was kept.
        wake: called when a job waits again.
    """

    def __init__(
        self,
        *,
        queue: QueueRepository,
        inputs: InputPictures,
        storing: Storing,
        delivery: Delivery,
        settle: Callable[[int, int], Awaitable[None]],
        wake: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._inputs = inputs
        self._storing = storing
        self._delivery = delivery
        self._settle = settle
        self._wake = wake

    async def finish(self, running: TrackedJob, event: Finished | Failed) -> None:
        """End an attempt. Each attempt ends once.

        The worker's host may forget the end only after this. If the bot dies in between, the next one takes it over.
        """
        try:
            await self._finish(running, event)
        except Exception:
            await self._settle(event.job_id, event.attempt)
            raise
        await self._settle(event.job_id, event.attempt)

    async def _finish(self, running: TrackedJob, event: Finished | Failed) -> None:
        job = running.job
        if job.cancel_requested_by is not None:
            # The member pressed before the end. The worker may have been making files, and have finished all the same.
            await self._delivery.cancel(job, running.message)
        elif isinstance(event, Finished):
            job = await self._delivery.note_hidden(job, event.hidden, event.scores)
            try:
                job = await self._storing.keep(job, event, running.say_unkept)
                # Delivery may take hours, while Discord is away.
                await self._settle(event.job_id, event.attempt)
            except StorageFailed as error:
                await self._delivery.fail(job, running.message, JobFailure.STORAGE, str(error))
                return
            except SigningFailed as error:
                await self._delivery.fail(job, running.message, JobFailure.UNSIGNED, str(error))
                return
            DRAW.labels(job.kind).observe(event.total_s)
            with DELIVER.time():
                await self._delivery.deliver(job, running.message)
        elif running.is_timed_out:
            await self._delivery.fail(job, running.message, JobFailure.TIMEOUT, event.detail)
        elif event.reason is FailureReason.CANCELLED:
            await self._delivery.cancel(job, running.message)
        elif event.reason in RETRYABLE and not _is_blamed(job):
            await self._try_again(running, event)
        else:
            if event.reason is FailureReason.FLAGGED_INPUT:
                # This comes first: a crash after it leaves a job without pictures, and one before it a job that runs.
                await self._inputs.release(job.job_id)
            await self._delivery.fail(job, running.message, JobFailure(event.reason), event.detail)

    async def _try_again(self, running: TrackedJob, event: Failed) -> None:
        job = running.job
        _log.warning("job tried again", action="retried", reason=event.reason, detail=event.detail, **job.log_context())
        try:
            # The edit comes before the next attempt, so that it cannot overwrite that attempt's newer states.
            await running.message.replace(job_message.waiting_again(job), [])
        except CallFailed as error:
            _log.warning("edit failed", action="edit_failed", error=repr(error), **job.log_context())
        await self._queue.release(job.job_id, has_crashed=event.reason in CRASHES)
        self._wake()


def _is_blamed(job: Job) -> bool:
    """Whether the job gets no further attempt. After a first lost worker, the job ran alone."""
    return job.attempt >= MAX_ATTEMPTS or job.crashes + 1 >= _MAX_CRASHES
