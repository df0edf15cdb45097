"""What goes by itself in time, by the settings of `[privacy]`."""

from datetime import datetime, timedelta

import structlog

from bot.privacy.ending_jobs import JobEnding
from bot.store.privacy.retention import RetentionRepository
from config.settings import PrivacySettings

_log = structlog.get_logger(__name__)


class Retention:
    """Blanks and deletes what is too old, and notices which servers Easel left.

    Args:
        repository: the database.
        ending: ends the open jobs of a server that Easel left.
        settings: how long everything is kept.
    """

    def __init__(self, *, repository: RetentionRepository, ending: JobEnding, settings: PrivacySettings) -> None:
        self._repository = repository
        self._ending = ending
        self._settings = settings

    async def sweep(self, now: datetime) -> None:
        """Delete what is too old. Files follow by `removals`.

        Raises:
            sqlite3.Error: the database refused.
        """
        settings = self._settings
        await self._repository.drop_decisions(
            warned_before=now - timedelta(days=settings.keep_hits_days),
            decided_before=now - timedelta(days=settings.keep_audit_days),
        )
        if settings.keep_prompts_days:
            count = await self._repository.blank_old(now - timedelta(days=settings.keep_prompts_days))
            if count:
                _log.info("old words deleted", action="retention", jobs=count)
        left = await self._repository.forget_left(now - timedelta(days=settings.left_server_days))
        if left:
            _log.info("left servers forgotten", action="retention", jobs=left)

    async def left(self, guild_id: int, own_id: int, now: datetime) -> None:
        """Note that Easel left a server; what waits and runs there ends, and is given back."""
        await self._repository.leave(guild_id, now)
        _log.info("left a server", action="left_server", guild_id=guild_id)
        await self._ending.of_server(guild_id, own_id)

    async def came_back(self, guild_id: int) -> None:
        """Note that Easel is in a server again, so that nothing of it is deleted."""
        if await self._repository.come_back(guild_id):
            _log.info("came back to a server", action="came_back", guild_id=guild_id)

    async def compare(self, present: frozenset[int], own_id: int, now: datetime) -> None:
        """Note which servers were left, or came back, while Easel was not connected."""
        for guild_id in sorted(await self._repository.known_servers() - present):
            await self.left(guild_id, own_id, now)
        for guild_id in sorted(present):
            await self.came_back(guild_id)
