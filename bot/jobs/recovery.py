"""Jobs without an owner, after a start or a fault of Easel. Discord and the disk give the facts; nothing is guessed."""

from collections.abc import Callable

import structlog

from bot.calls.errors import AddressBlocked, CallFailed
from bot.calls.messages import Calls
from bot.jobs.delivering.conversation import JobMessage
from bot.jobs.delivering.delivery import Delivery
from bot.store.jobs import JobRepository
from bot.store.queue import QueueRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus

MAX_ATTEMPTS = 10
"""A restart of the bot is not the job's fault. A job that sees this many restarts may be their cause."""

_log = structlog.get_logger(__name__)


class Recovery:
    """Finds out the state of a job, then queues it, delivers it, or refunds it.

    Args:
        calls: asks Discord.
        jobs: the jobs.
        queue: takes back jobs that are tried again.
        delivery: shows how a job ended.
        is_priced: whether a service may have billed the pictures of a model with this key.
    """

    def __init__(
        self,
        *,
        calls: Calls,
        jobs: JobRepository,
        queue: QueueRepository,
        delivery: Delivery,
        is_priced: Callable[[str], bool],
    ) -> None:
        self._is_priced = is_priced
        self._calls = calls
        self._jobs = jobs
        self._queue = queue
        self._delivery = delivery

    async def find_message(self, job: Job) -> None:
        """Find the message of an accepted job without a recorded one. If Discord has none, refund the job.

        The message of a cell is that of its sheet, which goes on by itself.
        """
        if await self._calls.in_sheet(job):
            return
        try:
            message_id = await self._calls.find_answer(job)
        except AddressBlocked:
            return  # `AddressBlock` logged it; the job's turn comes again
        except CallFailed as error:
            # The job stays in the queue, unstarted. Its turn comes again.
            _log.warning("not known whether acknowledged", action="unknown", error=repr(error), **job.log_context())
            return
        if message_id is None:
            await self._jobs.end(job.job_id, status=JobStatus.FAILED, failure=JobFailure.UNANSWERED, error_id=None)
            _log.info("unacknowledged job given back", action="recovered", **job.log_context())
        else:
            await self._jobs.record_message(job.job_id, message_id)
            _log.info("message found", action="recovered", **job.log_context())

    async def settle_if_ended(self, job: Job) -> None:
        """Settle or refund a job from before a restore if its message shows its end. It is not drawn a second time."""
        try:
            end = await self._calls.find_end(job)
        except CallFailed as error:
            # If the job is drawn again, it edits the same message once more and is charged once.
            _log.warning("not known whether it ended", action="unknown", error=repr(error), **job.log_context())
            return
        if end is None:
            return
        if end.outputs:
            await self._jobs.record_message(job.job_id, end.message_id)
            await self._jobs.deliver(job.job_id, outputs_delivered=end.outputs)
        else:
            await self._jobs.end(job.job_id, status=JobStatus.CANCELLED, failure=None, error_id=None)
        _log.info("ended before the restore", action="recovered", outputs=end.outputs, **job.log_context())

    async def adopt(self, job: Job) -> None:
        """Deliver a started job without an owner if its outputs are stored; otherwise queue it again."""
        message = JobMessage(self._calls, job)
        if await self._jobs.outputs(job.job_id):
            shown_in = await self._shown_in(job)
            if shown_in is not None:
                await self._jobs.record_message(job.job_id, shown_in)
                await self._delivery.settle(job)
            else:
                await self._delivery.deliver(job, message)
        elif job.cancel_requested_by is not None:
            await self._delivery.cancel(job, message)
        elif job.attempt >= MAX_ATTEMPTS:
            await self._delivery.fail(job, message, JobFailure.WORKER_DIED, "lost at too many restarts")
        elif await self._is_gone(job):
            await self._delivery.fail(job, message, JobFailure.MESSAGE_GONE, "the message was deleted")
        elif not self.may_repeat(job):
            await self._delivery.fail(job, message, JobFailure.MAYBE_BILLED, "Easel ended while a service drew it")
        else:
            await self._queue.release(job.job_id)
            _log.info("job queued again", action="recovered", **job.log_context())

    def may_repeat(self, job: Job) -> bool:
        """Whether a started job may be drawn again without its member's word. A service may bill every try."""
        return not self._is_priced(job.request.model_key)

    async def _shown_in(self, job: Job) -> int | None:
        """The message that shows the outputs. Unknown counts as None: a second delivery is only one more edit."""
        try:
            return await self._calls.find_delivered(job)
        except CallFailed:
            return None

    async def _is_gone(self, job: Job) -> bool:
        """Whether the job's message is gone. Unknown counts as False."""
        try:
            return not await self._calls.message_exists(job)
        except CallFailed:
            return False
