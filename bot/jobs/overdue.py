"""Jobs that waited too long, or have no owner, and calls that Discord did not accept."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.jobs.delivering.delivery import Delivery
from bot.jobs.ending import Endings
from bot.jobs.recovery import Recovery
from bot.jobs.storing import Storing
from bot.jobs.waiting import WaitingLine
from bot.store.queue import QueueRepository
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job

SWEEP_INTERVAL_S: Final = 5.0
_UNOWNED_S: Final = 60.0
HELD_FOR: Final = timedelta(days=1)
"""Time within which a moderator must allow a held job."""
_SWEPT_AT_ONCE: Final = 20


class Overdue:
    """Ends jobs whose time is over, and finds owners for jobs without one.

    Args:
        queue: the queue.
        delivery: shows how a job ended.
        recovery: finds out about a job without an owner.
        waiting_line: has the messages of waiting jobs.
        storing: notes faults of the database.
        max_wait: how long a job may wait.
    """

    def __init__(
        self,
        *,
        queue: QueueRepository,
        delivery: Delivery,
        recovery: Recovery,
        waiting_line: WaitingLine,
        storing: Storing,
        max_wait: timedelta,
    ) -> None:
        self._queue = queue
        self._delivery = delivery
        self._recovery = recovery
        self._waiting_line = waiting_line
        self._storing = storing
        self._max_wait = max_wait

    async def sweep(self, now: datetime, endings: Endings, is_owned: Callable[[Job], bool]) -> None:
        """End jobs that waited too long, and adopt jobs without an owner.

        Args:
            now: the present time.
            endings: the tasks that end jobs.
            is_owned: whether somebody runs or ends a job now.
        """
        long_ago = now - timedelta(seconds=_UNOWNED_S)
        for job in await self._queue.waiting_since_before(now - self._max_wait, _SWEPT_AT_ONCE):
            endings.begin(
                job, self._delivery.fail(job, self._waiting_line.take(job), JobFailure.WAITED, "waited too long")
            )
        for job in await self._queue.held_since_before(now - HELD_FOR, _SWEPT_AT_ONCE):
            if not is_owned(job):
                self.end_held(job, JobFailure.NOT_REVIEWED, endings)
        for job in await self._queue.running():
            if not is_owned(job) and job.started_at is not None and job.started_at < long_ago:
                endings.begin(job, self._recovery.adopt(job))

    def end_held(self, job: Job, failure: JobFailure, endings: Endings) -> None:
        """End a held job that nobody allows, and give its price back."""
        endings.begin(job, self._delivery.fail(job, self._waiting_line.take(job), failure, "not shown by moderators"))

    async def catch_up_forever(self) -> None:
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
