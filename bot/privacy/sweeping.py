"""What happens by itself: within seconds wishes of the shell and files that must go, farewells one a second, the rest
once an hour.
"""

import asyncio
import sqlite3
from datetime import UTC, datetime
from typing import Final

import structlog

from bot.jobs.keeping import Keeping
from bot.privacy.farewells import Farewells
from bot.privacy.forgetting import Forgetting
from bot.privacy.retention import Retention
from bot.store.disk import GB
from config.settings import StorageSettings

_TICK_S: Final = 1.0
_HOUR_S: Final = 3_600.0

_log = structlog.get_logger(__name__)


class Sweeping:
    """Carries out wishes, changes messages, and removes what is old.

    Args:
        forgetting: carries out wishes.
        farewells: changes messages of forgotten jobs.
        keeping: removes old files.
        retention: deletes what is too old.
        storage: how long, and how many, finished pictures stay.
    """

    def __init__(
        self,
        *,
        forgetting: Forgetting,
        farewells: Farewells,
        keeping: Keeping,
        retention: Retention,
        storage: StorageSettings,
    ) -> None:
        self._forgetting = forgetting
        self._farewells = farewells
        self._keeping = keeping
        self._retention = retention
        self._storage = storage
        self._is_logged = False

    async def begin(self) -> None:
        """Finish what a crash interrupted, and forget again after a restore. Call it before the first job."""
        try:
            await self._forgetting.catch_up(is_start=True)
            await self._forgetting.remove_files()
        except (OSError, sqlite3.Error) as error:
            self._note(error)

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        swept_at = -_HOUR_S
        while True:
            try:
                await self._forgetting.catch_up()
                await self._forgetting.remove_new_files()
                await self._farewells.bid_one()
                if loop.time() - swept_at >= _HOUR_S:
                    swept_at = loop.time()
                    await self._sweep(datetime.now(UTC))
                self._is_logged = False
            except (OSError, sqlite3.Error) as error:
                self._note(error)
            await asyncio.sleep(_TICK_S)

    async def _sweep(self, now: datetime) -> None:
        removed = await self._keeping.remove_old(self._storage.keep_images_days)
        removed += await self._keeping.remove_beyond(round(self._storage.max_gb * GB))
        if removed:
            _log.info("old images removed", action="retention", count=removed)
        await self._retention.sweep(now)
        await self._forgetting.sweep(now)

    def _note(self, error: Exception) -> None:
        """Log the first failure of several. The work is tried again a second later."""
        if not self._is_logged:
            _log.error("old data not removed", action="retention", error=repr(error))
        self._is_logged = True
