"""Interface between the bot and engines, wherever they run."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from pipeline.protocol.requests import Request
from pipeline.protocol.wire.messages import Checked, FoundPart, JobEvent, Phase, Ready
from pipeline.protocol.wire.settings import NO_CHECKING, Checking

NO_PICTURES: Final[Mapping[str, bytes]] = MappingProxyType({})
"""The pictures of a request without inputs."""


class WorkerState(StrEnum):
    """State of a worker's life."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    UNUSABLE = "unusable"
    """The worker reported that it cannot work as configured; it is started again, but only the owner can fix that."""
    STOPPED = "stopped"


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Times of a worker's start.

    Attributes:
        began_at: start of the process, UTC.
        ready_at: time when it was ready, UTC; None until then.
    """

    began_at: datetime
    ready_at: datetime | None = None


class BackendStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Present status of the worker.

    Attributes:
        state: state of its life.
        ready: its last `Ready` message.
        rss_bytes: resident memory at the last heartbeat.
        phase: phase of its engine at the last heartbeat.
        restarts: number of restarts.
        detail: one sentence for the owner when it is not ready.
        start: times of its process's start; None between two processes, and for a worker that needs no start.
    """

    state: WorkerState
    ready: Ready | None
    rss_bytes: int
    phase: Phase
    restarts: int
    detail: str
    start: Start | None = None


class WorkerUnavailable(Exception):
    """No worker can take the job now; the message says why."""


class Backend(Protocol):
    """One or more engines behind one interface."""

    async def start(self) -> None:
        """Begin to supervise the workers; returns at once."""
        ...

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until a worker is ready.

        Raises:
            WorkerUnavailable: no worker was ready in time, or it reported that it cannot work.
        """
        ...

    async def submit(
        self,
        job_id: int,
        attempt: int,
        request: Request,
        *,
        pictures: Mapping[str, bytes] = NO_PICTURES,
        checking: Checking = NO_CHECKING,
    ) -> None:
        """Submit an attempt; it ends in exactly one `Finished` or `Failed`. See `Submit`.

        Raises:
            WorkerUnavailable: no worker is ready; nothing was submitted.
        """
        ...

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt at its next step; an attempt that is not running is ignored."""
        ...

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """Mark the part of a picture that words name. See `FindPart`.

        Raises:
            WorkerUnavailable: no worker is ready, or it was lost or did not answer in time.
        """
        ...

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Rate pictures before a job with them is accepted. See `Check`.

        Raises:
            WorkerUnavailable: no worker is ready, or it was lost or did not answer in time.
        """
        ...

    def events(self) -> AsyncIterator[JobEvent]:
        """Events of all attempts, for a single listener; ends after `close`."""
        ...

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time a worker becomes ready."""
        ...

    @property
    def status(self) -> BackendStatus:
        """Present status of the worker."""
        ...

    @property
    def free_slots(self) -> int:
        """Number of further attempts that the workers can take now."""
        ...

    async def close(self) -> None:
        """End the workers. Their running attempts get no event."""
        ...
