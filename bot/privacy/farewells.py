"""Puts a placeholder into the messages of forgotten jobs: without words, pictures and the member's name."""

import structlog

from bot.calls.errors import CallFailed, EditsHalted, NotNow
from bot.calls.messages import Calls
from bot.presenting.jobs import job_message
from bot.store.privacy.forgetting import ForgettingRepository

_log = structlog.get_logger(__name__)


class Farewells:
    """The messages that still show a forgotten job, the newest first. A restart goes on with them."""

    def __init__(self, *, calls: Calls, repository: ForgettingRepository) -> None:
        self._calls = calls
        self._repository = repository

    async def bid_one(self) -> bool:
        """Change one message; False if there is none, or Discord takes nothing at the moment.

        Raises:
            sqlite3.Error: the database refused.
        """
        found = await self._repository.next_farewell()
        if found is None:
            return False
        job, locale = found
        try:
            await self._calls.edit_message(job, job_message.forgotten(job, locale), [], is_last_word=False)
        except (NotNow, EditsHalted):
            return False
        except CallFailed as error:
            # The message is gone, or Easel may not write there any more.
            _log.info("no farewell", action="no_farewell", error=repr(error), job_id=job.job_id)
        await self._repository.bade_farewell(job.job_id)
        return True
