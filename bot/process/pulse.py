"""The bot's heartbeat: every few seconds it writes the health file and the highest ids of the database."""

import asyncio
import sqlite3
import time
from datetime import UTC, datetime

import structlog

from bot.client import EaselClient
from bot.interactions.services import Services
from bot.process.health import BEAT_S, Health, end_health, write_health
from bot.process.service_manager import notify
from bot.process.troubles import RecentRestarts, troubles_of, warnings_of
from bot.store.sqlite.timelines import Numbers, write_mark
from bot.troubles import Cause, Trouble
from pipeline.protocol.program import easel_version

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
        self._restarts = RecentRestarts()
        self._fault: Trouble | None = None
        """The failure of the last beat; None if it succeeded."""

    async def run(self) -> None:
        """Beat until cancelled. A failed write is logged once."""
        notify("READY=1")
        try:
            while True:
                try:
                    await self._beat()
                    self._fault = None
                except (OSError, sqlite3.Error) as error:
                    self._note(error)
                await asyncio.sleep(BEAT_S)
        finally:
            # A writing thread cannot be cancelled; without this, it could write after `end_health`.
            await asyncio.gather(self._writing, return_exceptions=True)
            end_health(self._storage.directory)

    def _note(self, error: Exception) -> None:
        if self._fault is None:
            _log.error("health is not written", action="health_failed", error=repr(error))
        sentence = f"Health or database cannot be written or read ({error}). Look at the disk and its rights."
        since = datetime.now(UTC) if self._fault is None else self._fault.since
        self._fault = Trouble(cause=Cause.DATABASE, sentence=sentence, since=since)

    async def _beat(self) -> None:
        self._restarts.note(self._services.backend.status.restarts, time.monotonic())
        await self._services.disk.measure()
        health = self.health
        notify("WATCHDOG=1", f"STATUS={' '.join(health.complaints) or f'Worker {health.worker}.'}")
        self._writing = asyncio.ensure_future(asyncio.to_thread(write_health, self._storage.directory, health))
        await asyncio.shield(self._writing)
        used = await self._services.database.used_numbers()
        if used != self._marked:
            await asyncio.to_thread(write_mark, self._storage.database, used)
            self._marked = used

    @property
    def troubles(self) -> list[Trouble]:
        """All present troubles; none while Discord is away, since the owner could not be told."""
        health = self.health
        return [] if health.away_since is not None else [*health.faults, *health.warnings]

    @property
    def health(self) -> Health:
        """The current health."""
        worker = self._services.backend.status
        troubles = troubles_of(self._services)
        return Health(
            at=time.time(),
            version=easel_version(),
            away_since=self._client.away_since,
            worker=worker.state,
            detail=worker.detail,
            is_dispatching=self._services.dispatcher.is_alive,
            troubles=troubles if self._fault is None else (*troubles, self._fault),
            warnings=warnings_of(self._services, self._restarts),
        )
