"""The bot's heartbeat: every few seconds it writes the health file and the highest ids of the database."""

import asyncio
import sqlite3
import time
from importlib.metadata import version

import structlog

from bot.client import EaselClient
from bot.interactions.services import Services
from bot.process.health import BEAT_S, Health, end_health, write_health
from bot.process.service_manager import notify
from bot.store.sqlite.timelines import Numbers, write_mark

_log = structlog.get_logger(__name__)


class Pulse:
    """Beats while the event loop runs, for `easel health`, systemd and a later restore."""

    def __init__(self, client: EaselClient, services: Services) -> None:
        self._client = client
        self._services = services
        self._storage = services.settings.storage
        self._marked = Numbers()
        self._writing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writing.set_result(None)
        self._version = version("easel")

    async def run(self) -> None:
        """Beat until cancelled. A failed write is logged once."""
        is_logged = False
        notify("READY=1")
        try:
            while True:
                try:
                    await self._beat()
                    is_logged = False
                except (OSError, sqlite3.Error) as error:
                    if not is_logged:
                        _log.error("health is not written", action="health_failed", error=repr(error))
                    is_logged = True
                await asyncio.sleep(BEAT_S)
        finally:
            notify("STOPPING=1")
            # A writing thread cannot be cancelled; without this, it could write after `end_health`.
            await asyncio.gather(self._writing, return_exceptions=True)
            end_health(self._storage.directory)

    async def _beat(self) -> None:
        health = self.health
        notify("WATCHDOG=1", f"STATUS={' '.join(health.complaints) or f'Worker {health.worker}.'}")
        self._writing = asyncio.ensure_future(asyncio.to_thread(write_health, self._storage.directory, health))
        await asyncio.shield(self._writing)
        used = await self._services.database.used_numbers()
        if used != self._marked:
            await asyncio.to_thread(write_mark, self._storage.database, used)
            self._marked = used

    @property
    def health(self) -> Health:
        """The current health."""
        worker, trouble = self._services.backend.status, self._services.storing.trouble
        return Health(
            at=time.time(),
            version=self._version,
            away_since=self._client.away_since,
            worker=worker.state,
            detail=worker.detail,
            is_dispatching=self._services.dispatcher.is_alive,
            troubles=() if trouble is None else (trouble.sentence,),
        )
