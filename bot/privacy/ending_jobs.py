"""Ends open jobs where their messages show it, before their person or server is forgotten."""

import asyncio
from typing import Final

import structlog

from bot.jobs.dispatcher import Dispatcher
from bot.store.privacy.forgetting import ForgettingRepository
from bot.store.privacy.retention import RetentionRepository
from bot.store.rows.jobs import Job

_LOOK_S: Final = 0.1
_LOOKS: Final = 100
"""Looks at the running jobs, ten seconds in all. What is open after them ends without a word in its message."""

_log = structlog.get_logger(__name__)


class JobEnding:
    """Cancels the jobs of a person, or of a server. Each is given back."""

    def __init__(self, *, dispatcher: Dispatcher, persons: ForgettingRepository, servers: RetentionRepository) -> None:
        self._dispatcher = dispatcher
        self._persons = persons
        self._servers = servers
        self._tasks: set[asyncio.Task[bool]] = set()

    async def of_person(self, user_id: int) -> None:
        """Cancel a person's open jobs, and wait a while for their ends."""
        for job in await self._persons.open_jobs(user_id):
            self._cancel(job, user_id)
        for _ in range(_LOOKS):
            if not await self._persons.open_jobs(user_id):
                return
            await asyncio.sleep(_LOOK_S)

    async def of_server(self, guild_id: int, actor_id: int) -> None:
        """Cancel a server's open jobs."""
        for job in await self._servers.open_jobs(guild_id):
            self._cancel(job, actor_id)

    def _cancel(self, job: Job, user_id: int) -> None:
        """Cancel in a task of its own, since the last word waits for Discord."""
        task = asyncio.create_task(self._dispatcher.cancel(job, user_id))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[bool]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a job was not cancelled", action="not_cancelled", error=repr(error))
