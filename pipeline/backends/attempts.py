"""Attempts in a worker, and the stream of their events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Container

import structlog

from pipeline.backends.base import WorkerUnavailable
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.messages import Failed, JobEvent, Progress

_log = structlog.get_logger(__name__)


class Attempts:
    """The attempts that a worker has, by job id and attempt. Each has one final event."""

    def __init__(self) -> None:
        self._running: set[tuple[int, int]] = set()
        self._lone: tuple[int, int] | None = None
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._events: asyncio.Queue[JobEvent | None] = asyncio.Queue()

    def __len__(self) -> int:
        """Number of attempts without a final event."""
        return len(self._running)

    def __contains__(self, key: tuple[int, int]) -> bool:
        """True when the attempt has no final event yet."""
        return key in self._running

    def add(self, key: tuple[int, int]) -> None:
        """Add an attempt that runs already."""
        self._running.add(key)
        self._emptied.clear()

    @contextlib.asynccontextmanager
    async def joining(self, key: tuple[int, int], *, is_alone: bool) -> AsyncGenerator[None]:
        """Add an attempt, which is submitted in the context; if that fails, it is removed without an event.

        An attempt that must be alone lets no others join, and waits until those that run have ended.

        Raises:
            WorkerUnavailable: another attempt runs alone, or waits to.
        """
        if self._lone is not None:
            raise WorkerUnavailable("Another job runs alone in this worker.")
        self._lone = key if is_alone else None
        try:
            if is_alone:
                await self._emptied.wait()
            self.add(key)
            yield
        except BaseException:
            self._drop(key)
            raise

    @property
    def is_reserved(self) -> bool:
        """Whether an attempt runs alone, or waits until it can; no other attempt joins it."""
        return self._lone is not None

    def _drop(self, *keys: tuple[int, int]) -> None:
        self._running.difference_update(keys)
        if self._lone in keys:
            self._lone = None
        if not self._running:
            self._emptied.set()

    def forget(self) -> None:
        """Remove all attempts without an event."""
        self._drop(*self._running)

    def hand_on(self, event: JobEvent) -> None:
        """Forward an event of a running attempt; other events are late or repeated, and are dropped."""
        key = (event.job_id, event.attempt)
        if key not in self._running:
            _log.debug("stale message dropped", action="stale", kind=type(event).__name__, key=key)
            return
        if not isinstance(event, Progress):
            self._drop(key)
        self._events.put_nowait(event)

    def fail(self, reason: FailureReason, detail: str, *, but: Container[tuple[int, int]] = ()) -> None:
        """Let all running attempts fail, but some."""
        lost = sorted(key for key in self._running if key not in but)
        for job_id, attempt in lost:
            self._events.put_nowait(Failed(job_id=job_id, attempt=attempt, reason=reason, detail=detail))
        self._drop(*lost)

    def end(self) -> None:
        """End the stream of events."""
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[JobEvent]:
        """The events; they end after `end`."""
        while (event := await self._events.get()) is not None:
            yield event
        # The end mark is put back, so that a further iteration ends too.
        self._events.put_nowait(None)
