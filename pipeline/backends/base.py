"""How a bot reaches engines, wherever they are."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from pipeline.protocol.messages import JobEvent, Phase, Ready
from pipeline.protocol.requests import Request


class WorkerState(StrEnum):
    """Where a worker is in its life."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    UNUSABLE = "unusable"
    """It said that it cannot work as configured; it is tried again, but only the owner can mend it."""
    STOPPED = "stopped"


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker came, or comes, to be ready.

    Attributes:
        began_at: when its process was started, UTC.
        ready_at: when it was ready, UTC; None until then.
    """

    began_at: datetime
    ready_at: datetime | None = None


class BackendStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the worker now.

    Attributes:
        state: where it is.
        ready: what it said of itself when it was last ready.
        rss_bytes: its resident memory at the last heartbeat.
        phase: what its engine did at the last heartbeat.
        restarts: how often it was started again.
        detail: one sentence for the owner when it is not ready.
        start: of its process; None between two processes, and where it was ready all the time.
    """

    state: WorkerState
    ready: Ready | None
    rss_bytes: int
    phase: Phase
    restarts: int
    detail: str
    start: Start | None = None


class WorkerUnavailable(Exception):
    """No worker can take the job now; the text says why."""


class Backend(Protocol):
    """One or more engines behind one door."""

    async def start(self) -> None:
        """Begin to look after the workers; returns at once."""
        ...

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait for a worker.

        Raises:
            WorkerUnavailable: none came in time, or it said that it cannot work.
        """
        ...

    async def submit(self, job_id: int, attempt: int, request: Request, *, is_checked: bool = False) -> None:
        """Hand over an attempt; it ends in exactly one `Finished` or `Failed`. See `Submit`.

        Raises:
            WorkerUnavailable: nothing was handed over.
        """
        ...

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt at its next step; one that is not running is passed over."""
        ...

    def events(self) -> AsyncIterator[JobEvent]:
        """What workers say of their attempts, to one listener; ends after `close`."""
        ...

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Call this each time a worker becomes ready."""
        ...

    @property
    def status(self) -> BackendStatus:
        """What is known of the worker now."""
        ...

    @property
    def free_slots(self) -> int:
        """How many more attempts would be taken now."""
        ...

    async def close(self) -> None:
        """End the workers. Attempts that run there get no event."""
        ...
