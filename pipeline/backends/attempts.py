"""Attempts in a worker, and the stream of their events."""

import asyncio
from collections.abc import AsyncIterator

import structlog

from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.messages import Failed, JobEvent, Progress

_log = structlog.get_logger(__name__)


class Attempts:
    """The attempts that a worker has, by job id and attempt. Each has one final event."""

    def __init__(self) -> None:
        self._running: set[tuple[int, int]] = set()
        self._events: asyncio.Queue[JobEvent | None] = asyncio.Queue()

    def __len__(self) -> int:
        """Number of attempts without a final event."""
        return len(self._running)

    def __contains__(self, key: tuple[int, int]) -> bool:
        """True when the attempt has no final event yet."""
        return key in self._running

    def add(self, key: tuple[int, int]) -> None:
        """Add a submitted attempt."""
        self._running.add(key)

    def forget(self) -> None:
        """Remove all attempts without an event."""
        self._running.clear()

    def hand_on(self, event: JobEvent) -> None:
        """Forward an event of a running attempt; other events are late or repeated, and are dropped."""
        key = (event.job_id, event.attempt)
        if key not in self._running:
            _log.debug("stale message dropped", action="stale", kind=type(event).__name__, key=key)
            return
        if not isinstance(event, Progress):
            self._running.discard(key)
        self._events.put_nowait(event)

    def fail(self, reason: FailureReason, detail: str) -> None:
        """Let all running attempts fail."""
        for job_id, attempt in sorted(self._running):
            self._events.put_nowait(Failed(job_id=job_id, attempt=attempt, reason=reason, detail=detail))
        self._running.clear()

    def end(self) -> None:
        """End the stream of events."""
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[JobEvent]:
        """The events; they end after `end`."""
        while (event := await self._events.get()) is not None:
            yield event
        # The end mark is put back, so that a further iteration ends too.
        self._events.put_nowait(None)
