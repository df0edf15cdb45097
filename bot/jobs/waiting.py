"""What the messages of waiting jobs say: their place moves up while they wait."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.calls.messages import Calls
from bot.jobs.conversation import JobMessage
from bot.presenting import job_message
from bot.presenting.job_message import Prospect
from bot.store.queue import QueueRepository
from bot.store.rows import Job

_WATCHED: Final = 20
"""Members whose first job is watched; who stands further back has time."""
_EDITS_AT_ONCE: Final = 4
"""Below what Discord allows in one channel at a time, of which running jobs need some."""
_FRESH: Final = timedelta(seconds=10)
"""So long the place in the first answer is new enough, unless a worker was lost since."""

FindProspect = Callable[[Job], Awaitable[Prospect]]


class WaitingLine:
    """The messages of those who are next, each handed on when its job leaves the queue.

    One object edits a message at a time: an old place can never arrive after a newer state.
    """

    def __init__(self, *, calls: Calls, queue: QueueRepository) -> None:
        self._calls = calls
        self._queue = queue
        self._messages: dict[int, JobMessage] = {}
        self._told: dict[int, Prospect] = {}

    async def refresh(self, find_prospect: FindProspect) -> None:
        """Show new places, and that the worker starts, a few at a time."""
        jobs = await self._queue.first_of_members(_WATCHED)
        await self._let_go({job.job_id for job in jobs})
        edits = 0
        for job in jobs:
            prospect = await find_prospect(job)
            told = self._told.get(job.job_id)
            is_fresh = told is None and not prospect.is_starting and datetime.now(UTC) - job.created_at < _FRESH
            if (told is not None and not _is_news(told, prospect)) or edits >= _EDITS_AT_ONCE:
                continue
            self._told[job.job_id] = prospect
            if not is_fresh:
                edits += 1
                message = self._messages.setdefault(job.job_id, JobMessage(self._calls, job))
                message.show(job_message.queued(job, prospect))

    def take(self, job: Job) -> JobMessage:
        """The message of a job that leaves the queue."""
        self._told.pop(job.job_id, None)
        return self._messages.pop(job.job_id, None) or JobMessage(self._calls, job)

    async def _let_go(self, waiting: set[int]) -> None:
        """Forget what waits no more, or not among the first."""
        for job_id in self._told.keys() - waiting:
            del self._told[job_id]
        for job_id in self._messages.keys() - waiting:
            await self._messages.pop(job_id).close()


def _is_news(told: Prospect, prospect: Prospect) -> bool:
    """Whether a message says too little or, of the time of a start that takes longer than those before, too much."""
    is_late = told.is_starting and told.starts_at is not None and prospect.starts_at is None
    return is_late or (told.position, told.is_starting) != (prospect.position, prospect.is_starting)
