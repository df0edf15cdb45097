"""Interface between the bot and engines, wherever they run."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from pipeline.protocol.requests import Request
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import Checked, FoundPart, JobEvent, Phase, Ready
from pipeline.protocol.wire.settings import NO_CHECKING, Checking


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner is shown of a GPU host.

    Attributes:
        name: its name.
        state: `expected` until it is first heard, `away`, `starting`, `unusable`, `draining`, `resting`, `drawing` or
            `ready`.
        detail: one sentence if it is not ready, rests, or has other weights than others.
        running: attempts that it draws.
        capacity: attempts that it can draw at once; 0 if that is not known.
        device: the maker's name for its device; empty if that is not known.
        models: keys of the models that it offers.
        easel: its version of Easel; empty if that is not known.
    """

    name: str
    state: str
    detail: str
    running: int
    capacity: int
    device: str
    models: tuple[str, ...]
    easel: str


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


class WorkerSilent(WorkerUnavailable):
    """The worker did not answer. It may have heard what it was asked for."""


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
        is_alone: bool = False,
    ) -> None:
        """Submit an attempt; it ends in exactly one `Finished` or `Failed`. See `Submit`.

        Args:
            job_id: number of its job.
            attempt: number of the attempt, from 1.
            request: what is asked for.
            pictures: pictures that the request names, by their hashes.
            checking: what the image check does.
            is_alone: whether no other attempt may run in the same worker. The call waits until one is empty for it.

        Raises:
            WorkerUnavailable: no worker is ready; nothing was submitted.
            WorkerSilent: it is not known whether the attempt was submitted; no event of it will come.
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

    async def finish_pictures(self, asked: FinishPictures) -> FinishedPictures:  # noqa: ARG002 - as below
        """Make files of pictures that another engine drew. See `FinishPictures`.

        Raises:
            WorkerUnavailable: no worker is ready, or it was lost or did not answer in time.
        """
        raise WorkerUnavailable("This worker finishes no pictures of others.")

    async def take_over(self, requests: Mapping[Key, Request]) -> set[Key]:  # noqa: ARG002 - some backends need none
        """Go on with attempts of an earlier run of the bot; returns those that still run or have ended unkept.

        Call it once, before the first `submit`. Whatever else still runs from an earlier time is dropped. Workers that
        end with the bot leave nothing to take over.

        Args:
            requests: the requests of all running attempts, by job id and attempt.
        """
        return set()

    def is_lasting(self, job_id: int, attempt: int) -> bool:  # noqa: ARG002 - as above
        """Whether the attempt goes on when the bot ends, so that the next run of the bot can take it over."""
        return False

    async def settle(self, job_id: int, attempt: int) -> None:
        """Note that the final event of an attempt was dealt with, so that nobody needs to keep it any more."""

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

    @property
    def views(self) -> tuple[HostView, ...]:
        """The GPU hosts, sorted by name."""
        return ()

    @property
    def open_models(self) -> frozenset[str] | None:
        """Keys of the models with which some worker can take an attempt now; None if any key may be tried."""
        return None

    @property
    def offered_models(self) -> frozenset[str] | None:
        """Keys of the models that some ready worker has, busy or not; None if all workers have the same ones."""
        return None

    async def close(self) -> None:
        """End the workers. Their running attempts get no event."""
        ...
