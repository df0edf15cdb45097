"""The messages of waiting jobs: their positions are updated while they wait."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.calls.messages import Calls
from bot.jobs.delivering.conversation import JobMessage
from bot.jobs.kinds import kind_of
from bot.presenting.jobs.job_message import Prospect
from bot.store.queue import QueueRepository
from bot.store.rows.jobs import Job

_WATCHED: Final = 20
"""Number of members whose first job is updated. Members further back can wait for an update."""
_EDITS_AT_ONCE: Final = 4
"""Edits at once. Discord allows more in a channel, but running jobs need some of them."""
_FRESH: Final = timedelta(seconds=10)
"""Age until which the position in the first answer is fresh enough, unless a worker was lost since."""

FindProspect = Callable[[Job], Awaitable[Prospect]]


class WaitingLine:
    """The messages of the next jobs. When a job leaves the queue, its message object goes with it.

    Only one object edits a message at a time, so that an old position can never arrive after a newer state.
    """

    def __init__(self, *, calls: Calls, queue: QueueRepository) -> None:
        self._calls = calls
        self._queue = queue
        self._messages: dict[int, JobMessage] = {}
        self._shown: dict[int, Prospect] = {}

    async def refresh(self, find_prospect: FindProspect) -> None:
        """Show new positions, and the start of a worker, in a few messages at a time."""
        jobs = await self._queue.first_of_members(_WATCHED)
        await self._forget_others({job.job_id for job in jobs})
        edits = 0
        for job in jobs:
            prospect = await find_prospect(job)
            shown = self._shown.get(job.job_id)
            is_fresh = (
                shown is None
                and not prospect.is_starting
                and not prospect.absent_model
                and datetime.now(UTC) - job.created_at < _FRESH
            )
            if (shown is not None and not _is_news(shown, prospect)) or edits >= _EDITS_AT_ONCE:
                continue
            self._shown[job.job_id] = prospect
            if not is_fresh:
                edits += 1
                message = self._messages.setdefault(job.job_id, JobMessage(self._calls, job))
                message.show(kind_of(job.request).queued(job, prospect))

    def take(self, job: Job) -> JobMessage:
        """The message of a job that leaves the queue."""
        self._shown.pop(job.job_id, None)
        return self._messages.pop(job.job_id, None) or JobMessage(self._calls, job)

    async def _forget_others(self, waiting: set[int]) -> None:
        """Forget jobs that no longer wait, or are no longer among the first."""
        for job_id in self._shown.keys() - waiting:
            del self._shown[job_id]
        for job_id in self._messages.keys() - waiting:
            await self._messages.pop(job_id).close()


def _is_news(shown: Prospect, prospect: Prospect) -> bool:
    """Whether the prospect differs enough from the shown one: another position or wait, or a start that is late."""
    is_late = shown.is_starting and shown.starts_at is not None and prospect.starts_at is None
    return is_late or _facts(shown) != _facts(prospect)


def _facts(prospect: Prospect) -> tuple[int, bool, str]:
    return prospect.position, prospect.is_starting, prospect.absent_model
