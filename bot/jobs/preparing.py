"""What keeps a job from being drawn and is not the queue: the worker starts, or a model is loaded.

Such a wait is told with what it took before, and is nobody's reason to be notified: its message says that it is long.
"""

import asyncio
import sqlite3
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from bot.store.rows import Job
from bot.store.timings import Preparation, TimingRepository
from pipeline.backends.base import Backend, Start, WorkerState

_STARTS_KEPT: Final = 50
_LOADS_KEPT: Final = 200
"""Of one run of the bot; nobody's job sees more."""

_log = structlog.get_logger(__name__)


class Preparing:
    """Knows what is prepared, until when, and how much of a job's wait that was."""

    def __init__(self, *, backend: Backend, timings: TimingRepository, default_key: str) -> None:
        self._backend = backend
        self._timings = timings
        self._default_key = default_key
        self._starts: deque[Start] = deque(maxlen=_STARTS_KEPT)
        self._loads: deque[tuple[int, timedelta]] = deque(maxlen=_LOADS_KEPT)
        self._has_started = asyncio.Event()
        backend.on_ready(self._started)

    @property
    def is_starting(self) -> bool:
        """Whether no worker draws, and one is on its way."""
        return self._backend.status.state in (WorkerState.STARTING, WorkerState.RESTARTING)

    async def started_at(self) -> datetime | None:
        """When the start under way may be over; None where nobody knows, or it takes longer than those before."""
        start = self._backend.status.start
        now = datetime.now(UTC)
        return await self._after(now if start is None else start.began_at, "start", self._default_key)

    async def loaded_at(self, model_key: str, since: datetime) -> datetime | None:
        """When a model that is being loaded may be there; None as above."""
        return await self._after(since, "load", model_key)

    async def loaded(self, job: Job, since: datetime) -> None:
        """A job is drawn now, after its model was loaded."""
        took = datetime.now(UTC) - since
        self._loads.append((job.job_id, took))
        await self._keep("load", job.request.model_key, took)

    def waited(self, job: Job) -> timedelta:
        """How long a job has waited for its turn and been drawn until now, without starts and loading."""
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
        """Keep what each start took, until cancelled."""
        while True:
            await self._has_started.wait()
            self._has_started.clear()
            start = self._starts[-1]
            if start.ready_at is not None:
                await self._keep("start", self._default_key, start.ready_at - start.began_at)

    def _started(self) -> None:
        start = self._backend.status.start
        if start is not None:
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
