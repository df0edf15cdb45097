"""Waits of a job outside the queue: the start of the worker, the loading of a model, and a host that has the model.

The job's message shows such a wait with its usual duration. It does not count for the notification of members, since
the message announces it.
"""

import asyncio
import sqlite3
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from bot.store.rows.jobs import Job
from bot.store.timings import Preparation, TimingRepository
from config.catalogue import Catalogue
from pipeline.backends.base import Backend, Start, WorkerState

_STARTS_KEPT: Final = 50
_LOADS_KEPT: Final = 200
"""Most loads kept in memory; no job needs more."""

_log = structlog.get_logger(__name__)


class Preparing:
    """Knows the current start or load, its expected end, and its part of a job's wait."""

    def __init__(self, *, backend: Backend, timings: TimingRepository, catalogue: Catalogue) -> None:
        self._backend = backend
        self._timings = timings
        self._catalogue = catalogue
        self._default_key = catalogue.default_key
        self._starts: deque[Start] = deque(maxlen=_STARTS_KEPT)
        self._loads: deque[tuple[int, timedelta]] = deque(maxlen=_LOADS_KEPT)
        self._has_started = asyncio.Event()
        backend.on_ready(self._started)

    @property
    def is_starting(self) -> bool:
        """Whether no worker is ready and one is starting."""
        return self._backend.status.state in (WorkerState.STARTING, WorkerState.RESTARTING)

    def absent_model(self, job: Job) -> str:
        """Title of a job's model if no ready worker has it, so that the job waits for a host that does; else empty."""
        offered, key = self._backend.offered_models, job.request.model_key
        if offered is None or self.is_starting or key in offered:
            return ""
        entry = self._catalogue.entries.get(key)
        return key if entry is None else entry.title

    async def started_at(self) -> datetime | None:
        """The expected end of the current start; None if it is unknown or already past."""
        start = self._backend.status.start
        now = datetime.now(UTC)
        return await self._after(now if start is None else start.began_at, "start", self._default_key)

    async def loaded_at(self, model_key: str, since: datetime) -> datetime | None:
        """The expected end of a model's loading; None if it is unknown or already past."""
        return await self._after(since, "load", model_key)

    async def loaded(self, job: Job, since: datetime) -> None:
        """Note that a job's model was loaded since `since`."""
        took = datetime.now(UTC) - since
        self._loads.append((job.job_id, took))
        await self._keep("load", job.request.model_key, took)

    def waited(self, job: Job) -> timedelta:
        """The time since a job was created, without starts and loads."""
        now = datetime.now(UTC)
        waited = now - job.created_at
        for job_id, took in self._loads:
            if job_id == job.job_id:
                waited -= took
        for start in self._starts:
            overlap = min(now, start.ready_at or now) - max(job.created_at, start.began_at)
            waited -= max(timedelta(), overlap)
        return waited

    async def learn(self) -> None:
        """Store the duration of each start, until cancelled."""
        while True:
            await self._has_started.wait()
            self._has_started.clear()
            start = self._starts[-1]
            if start.ready_at is not None:
                await self._keep("start", self._default_key, start.ready_at - start.began_at)

    def _started(self) -> None:
        start = self._backend.status.start
        if start is not None and start not in self._starts:  # hosts and engines of others have none
            self._starts.append(start)
            self._has_started.set()

    async def _after(self, began_at: datetime, kind: Preparation, model_key: str) -> datetime | None:
        try:
            seconds = await self._timings.preparation_s(kind, model_key)
        except sqlite3.Error:
            _log.exception("not known how long", action="storage_failed", kind=kind)
            return None
        if seconds is None:
            return None
        ends_at = began_at + timedelta(seconds=seconds)
        return ends_at if ends_at > datetime.now(UTC) else None

    async def _keep(self, kind: Preparation, model_key: str, took: timedelta) -> None:
        try:
            await self._timings.learn_preparation(kind, model_key, took.total_seconds())
        except sqlite3.Error:
            _log.exception("not learnt", action="storage_failed", kind=kind)
