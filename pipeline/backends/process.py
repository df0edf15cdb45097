"""Backend that supervises one worker process on this machine.

There are two kinds of failure. A failed attempt is a normal result. When the worker is lost, all its attempts fail, and
it is started again after a pause that doubles each time. A worker counts as lost when it ends, sends invalid data, is
silent, or reports no progress for too long.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from pipeline.backends.attempts import Attempts
from pipeline.backends.base import NO_PICTURES, Backend, BackendStatus, Start, WorkerState, WorkerUnavailable
from pipeline.backends.connection import Connection
from pipeline.backends.questions import Questions
from pipeline.backends.starter import Starter
from pipeline.backends.vitals import Vitals
from pipeline.backends.watchdog import Timeouts, Watchdog
from pipeline.protocol.errors import FailureReason, ProtocolError
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.messages import (
    Cancel,
    Checked,
    Configure,
    Failed,
    Finished,
    FoundPart,
    Heartbeat,
    JobEvent,
    Progress,
    Ready,
    Submit,
    Unusable,
)
from pipeline.protocol.wire.settings import NO_CHECKING, Checking

_DRAIN_S: Final = 1.0
_JITTER: Final = 0.25

_log = structlog.get_logger(__name__)


class _Loss(msgspec.Struct, frozen=True):
    """Reason for the loss of a worker; `detail` completes a sentence starting with "The worker"."""

    reason: FailureReason
    detail: str


class ProcessBackend(Backend):
    """One child process, which is restarted when it is lost. See `pipeline.backends.base.Backend`.

    Args:
        configure: first message to each worker.
        command: command that starts a worker.
        timeouts: limits after which a worker counts as lost.
        environment: additional variables for a worker.
        starter: warm starter that forks workers; it is closed with this backend. None starts each worker by exec.
    """

    def __init__(
        self,
        *,
        configure: Configure,
        command: Sequence[str] = (sys.executable, "-m", "pipeline"),
        timeouts: Timeouts | None = None,
        environment: Mapping[str, str] | None = None,
        starter: Starter | None = None,
    ) -> None:
        self._configure = configure
        self._command = tuple(command)
        self._timeouts = timeouts or Timeouts()
        self._environment = dict(environment or {})
        self._starter = starter
        self._vitals = Vitals()
        self._connection: Connection | None = None
        self._attempts = Attempts()
        self._questions = Questions()
        self._supervisor: asyncio.Task[None] | None = None
        self._sentence: str | None = None  # reason of the present process for being unusable
        self._is_closed = False
        self._closing = asyncio.Lock()

    async def start(self) -> None:
        """Begin to supervise the worker; returns at once. A backend can be started only once.

        Raises:
            RuntimeError: the backend was started or closed before.
        """
        if self._supervisor is not None or self._is_closed:
            raise RuntimeError("A backend is started once.")
        await self._vitals.turn(WorkerState.STARTING, "The worker is starting.")
        self._supervisor = asyncio.create_task(self._supervise(), name="supervise the worker")

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until the worker is ready.

        Raises:
            WorkerUnavailable: the worker was not ready in time, or reported that it cannot work.
        """
        return await self._vitals.wait_ready(timeout_s)

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
        """Submit an attempt.

        Raises:
            WorkerUnavailable: no worker is ready; nothing was submitted.
        """
        submit = Submit(job_id=job_id, attempt=attempt, request=request, pictures=dict(pictures), checking=checking)
        async with self._attempts.joining((job_id, attempt), is_alone=is_alone):
            self._worker().send(submit)

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt at its next step; an attempt that is not running is ignored."""
        if (job_id, attempt) in self._attempts and self._connection is not None:
            self._connection.send(Cancel(job_id=job_id, attempt=attempt))

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """Mark the part of a picture that words name. See `Backend`."""
        return await self._questions.find_part(self._worker(), picture, words)

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Rate pictures before a job with them is accepted. See `Backend`."""
        return await self._questions.check(self._worker(), pictures, checking)

    async def finish_pictures(self, asked: FinishPictures) -> FinishedPictures:
        """Make files of pictures that another engine drew. See `Backend`."""
        return await self._questions.finish_pictures(self._worker(), asked)

    async def events(self) -> AsyncIterator[JobEvent]:
        """Events of the worker's attempts; ends after `close`."""
        async for event in self._attempts.events():
            yield event

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time the worker becomes ready."""
        self._vitals.on_ready(callback)

    @property
    def status(self) -> BackendStatus:
        """Present status of the worker."""
        return self._vitals.status

    @property
    def free_slots(self) -> int:
        """Number of further attempts that the worker can take now."""
        return 0 if self._attempts.is_reserved else max(0, self._vitals.capacity - len(self._attempts))

    async def close(self) -> None:
        """End the worker in any state. Its running attempts get no event."""
        async with self._closing:
            if self._is_closed:
                return
            if self._supervisor is not None:
                self._supervisor.cancel()
                await asyncio.gather(self._supervisor, return_exceptions=True)
            await self._vitals.turn(WorkerState.STOPPED, "The worker was stopped.")
            self._attempts.forget()
            self._questions.fail(self._vitals.detail)
            if self._connection is not None:
                await self._connection.close(self._timeouts.stop_s)
                self._connection = None
            if self._starter is not None:
                await self._starter.close()
            self._is_closed = True
            self._attempts.end()

    def _worker(self) -> Connection:
        """The connection to a ready worker.

        Raises:
            WorkerUnavailable: no worker is ready.
        """
        if self._vitals.state is not WorkerState.READY or self._connection is None:
            raise WorkerUnavailable(self._vitals.detail)
        return self._connection

    async def _supervise(self) -> None:
        pause_s = self._timeouts.backoff_min_s
        while True:
            watchdog = Watchdog(self._timeouts, has_work=lambda: bool(self._attempts))
            self._sentence = None
            loss = await self._live(watchdog)
            if watchdog.was_stable:
                pause_s = self._timeouts.backoff_min_s
            if self._sentence is None:
                await self._vitals.turn(WorkerState.RESTARTING, f"The worker {loss.detail}.")
            log = _log.bind(reason=loss.reason, detail=loss.detail)
            log.warning("worker lost", action="worker_lost", pause_s=pause_s)
            jitter = 1 + random.uniform(0, _JITTER)  # noqa: S311 - a pause is no secret
            await asyncio.sleep(pause_s * jitter)
            pause_s = min(pause_s * 2, self._timeouts.backoff_max_s)
            self._vitals.restarts += 1

    async def _live(self, watchdog: Watchdog) -> _Loss:
        """Start a worker and follow it until it is lost; returns the reason."""
        self._vitals.start = Start(began_at=datetime.now(UTC))
        try:
            connection = await Connection.open(self._command, self._environment, self._starter)
        except OSError as error:
            return _Loss(FailureReason.WORKER_DIED, f"could not be started ({error})")
        self._connection = connection
        connection.send(self._configure)
        listening = asyncio.create_task(self._listen(connection, watchdog), name="listen to the worker")
        watching = asyncio.create_task(watchdog.find_fault(), name="watch the worker")
        try:
            await asyncio.wait((listening, watching), return_when=asyncio.FIRST_COMPLETED)
            watchdog.end()
            self._vitals.start = None
            if self._vitals.state is WorkerState.READY:
                await self._vitals.turn(WorkerState.RESTARTING, "The worker was lost a moment ago.")
            loss = await self._find_loss(connection, listening, watching)
        finally:
            listening.cancel()
            watching.cancel()
            await asyncio.gather(listening, watching, return_exceptions=True)
        loss = await self._end_lost_worker(connection, loss)
        # Reset only now: `close` may interrupt `_end_lost_worker`, and must then still find the child.
        self._connection = None
        return loss

    async def _end_lost_worker(self, connection: Connection, loss: _Loss | None) -> _Loss:
        """End a lost worker and fail its attempts; returns when the process is gone, so that no two share a device."""
        how = await connection.close(self._timeouts.stop_s)
        loss = loss or _Loss(FailureReason.WORKER_DIED, how)
        self._vitals.rest()
        self._questions.fail(f"The worker {loss.detail}.")
        self._attempts.fail(loss.reason, f"The worker {loss.detail}.")
        if not connection.is_gone:
            detail = f"The worker {loss.detail}. It cannot be ended: a driver may hang. Restart the computer."
            _log.critical("worker cannot be ended", action="worker_stuck", pid=connection.pid)
            await self._vitals.turn(WorkerState.RESTARTING, detail)
            await connection.gone()
        return loss

    async def _find_loss(
        self, connection: Connection, listening: asyncio.Task[None], watching: asyncio.Task[str]
    ) -> _Loss | None:
        """Wait until a worker is lost, and return the reason; None when only the exit code can tell it."""
        if not listening.done():
            await connection.kill(self._timeouts.stop_s)
            # Earlier messages are still in the socket. One of them may finish a job.
            await asyncio.wait({listening}, timeout=_DRAIN_S)
            return _Loss(FailureReason.WORKER_HUNG, watching.result())
        error = listening.exception()
        if error is None:
            return None
        await connection.kill(self._timeouts.stop_s)
        if not isinstance(error, ProtocolError):
            _log.error("the listener failed", action="listener_failed", exc_info=error)
        return _Loss(FailureReason.WORKER_DIED, f"could not be understood ({error})")

    async def _listen(self, connection: Connection, watchdog: Watchdog) -> None:
        async for message in connection.messages():
            watchdog.heard(message)
            match message:
                case Progress() | Finished() | Failed():
                    self._attempts.hand_on(message)
                case FoundPart() | Checked() | FinishedPictures():
                    self._questions.answer(message)
                case Heartbeat():
                    self._vitals.hear(message)
                case _ if watchdog.is_over:
                    _log.debug("late message dropped", action="stale", kind=type(message).__name__)
                case Ready():
                    await self._become_ready(message, watchdog)
                case Unusable():
                    _log.error("worker unusable", action="worker_unusable", sentence=message.sentence)
                    self._sentence = message.sentence
                    await self._vitals.turn(WorkerState.UNUSABLE, message.sentence)
                    return

    async def _become_ready(self, ready: Ready, watchdog: Watchdog) -> None:
        ours = self._configure.protocol_version
        if ready.protocol_version != ours:
            raise ProtocolError(f"it speaks version {ready.protocol_version} of the protocol and not {ours}")
        if self._vitals.state is WorkerState.READY:
            raise ProtocolError("it said twice that it is ready")
        watchdog.now_ready()
        await self._vitals.become_ready(ready)
