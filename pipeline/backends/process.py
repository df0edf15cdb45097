"""A worker process on this machine, looked after.

Two families of failure: an attempt failed (a result), or the worker is lost (then every attempt there fails, and
it is started again after a pause that doubles). A worker counts as lost when it ends, talks nonsense, is silent,
or says that its engine has not moved for too long.
"""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import msgspec
import structlog

from pipeline.backends.base import BackendStatus, WorkerState, WorkerUnavailable
from pipeline.backends.connection import Connection
from pipeline.protocol.errors import FailureReason, ProtocolError
from pipeline.protocol.messages import (
    Cancel,
    Configure,
    Failed,
    Finished,
    FromWorker,
    Heartbeat,
    JobEvent,
    Phase,
    Progress,
    Ready,
    Submit,
    Unusable,
)
from pipeline.protocol.requests import GenerationRequest

_MAX_CHECK_S: Final = 0.5
_JITTER: Final = 0.25

_log = structlog.get_logger(__name__)


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """When to give up, in seconds.

    Attributes:
        ready_s: from the start to `Ready`, while the worker does not say that it loads.
        heartbeat_s: silence of a ready worker.
        step_s: an engine that runs but does not move.
        load_s: an engine that loads but does not move.
        stop_s: for each of the kinder ways to end it.
        backoff_min_s: pause before the first restart.
        backoff_max_s: the longest pause.
        stable_s: a worker that was ready so long makes the next pause the shortest again.
    """

    ready_s: float = 180.0
    heartbeat_s: float = 15.0
    step_s: float = 120.0
    load_s: float = 1_800.0
    stop_s: float = 5.0
    backoff_min_s: float = 1.0
    backoff_max_s: float = 60.0
    stable_s: float = 60.0


class _Hung(Exception):  # noqa: N818 - exceptions say what happened
    """The worker lives but does not move."""


class ProcessBackend:
    """One child process, restarted whenever it is lost. See `pipeline.backends.base.Backend`."""

    def __init__(
        self,
        *,
        configure: Configure,
        command: Sequence[str] = (sys.executable, "-m", "pipeline"),
        timeouts: Timeouts | None = None,
    ) -> None:
        self._configure = configure
        self._command = tuple(command)
        self._timeouts = timeouts or Timeouts()
        self._state = WorkerState.STOPPED
        self._detail = "The worker was not started."
        self._ready: Ready | None = None
        self._rss_bytes = 0
        self._phase: Phase = "idle"
        self._restarts = 0
        self._connection: Connection | None = None
        self._running: set[tuple[int, int]] = set()
        self._events: asyncio.Queue[JobEvent | None] = asyncio.Queue()
        self._callbacks: list[Callable[[], None]] = []
        self._changed = asyncio.Condition()
        self._supervisor: asyncio.Task[None] | None = None
        self._heard_at = 0.0

    async def start(self) -> None:
        """Begin to look after the worker; returns at once."""
        await self._set_state(WorkerState.STARTING, "The worker is starting.")
        self._supervisor = asyncio.create_task(self._supervise(), name="supervise the worker")

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait for the worker.

        Raises:
            WorkerUnavailable: it did not come in time, or said that it cannot work.
        """
        ends = (WorkerState.READY, WorkerState.UNUSABLE, WorkerState.STOPPED)
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self._state in ends)
        except TimeoutError as error:
            raise WorkerUnavailable(self._detail) from error
        if self._state is not WorkerState.READY or self._ready is None:
            raise WorkerUnavailable(self._detail)
        return self._ready

    async def submit(self, job_id: int, attempt: int, request: GenerationRequest) -> None:
        """Hand over an attempt.

        Raises:
            WorkerUnavailable: there is no ready worker; nothing was handed over.
        """
        if self._state is not WorkerState.READY or self._connection is None:
            raise WorkerUnavailable(self._detail)
        self._running.add((job_id, attempt))
        self._connection.send(Submit(job_id=job_id, attempt=attempt, request=request))

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt at its next step; one that is not running is passed over."""
        if (job_id, attempt) in self._running and self._connection is not None:
            self._connection.send(Cancel(job_id=job_id, attempt=attempt))

    async def events(self) -> AsyncIterator[JobEvent]:
        """What the worker says of its attempts; ends after `close`."""
        while (event := await self._events.get()) is not None:
            yield event

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Call this each time the worker becomes ready."""
        self._callbacks.append(callback)

    @property
    def status(self) -> BackendStatus:
        """What is known of the worker now."""
        return BackendStatus(
            state=self._state,
            ready=self._ready,
            rss_bytes=self._rss_bytes,
            phase=self._phase,
            restarts=self._restarts,
            detail=self._detail,
        )

    @property
    def free_slots(self) -> int:
        """How many more attempts the worker would take now."""
        if self._state is not WorkerState.READY or self._ready is None:
            return 0
        return max(0, self._ready.capacity - len(self._running))

    async def close(self) -> None:
        """End the worker, in whatever state it is."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        supervisor.cancel()
        await asyncio.gather(supervisor, return_exceptions=True)
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(self._timeouts.stop_s)
        self._running.clear()
        await self._set_state(WorkerState.STOPPED, "The worker was stopped.")
        self._events.put_nowait(None)

    async def _supervise(self) -> None:
        pause_s = self._timeouts.backoff_min_s
        while True:
            began = time.monotonic()
            reason, detail = await self._live()
            self._fail_running(reason, detail)
            if time.monotonic() - began > self._timeouts.stable_s:
                pause_s = self._timeouts.backoff_min_s
            if self._state is not WorkerState.UNUSABLE:
                await self._set_state(WorkerState.RESTARTING, f"The worker {detail} and starts again shortly.")
            _log.warning("worker lost", action="worker_lost", reason=reason, detail=detail, pause_s=pause_s)
            await asyncio.sleep(pause_s * (1 + random.uniform(0, _JITTER)))  # noqa: S311 - a pause is no secret
            pause_s = min(pause_s * 2, self._timeouts.backoff_max_s)
            self._restarts += 1

    async def _live(self) -> tuple[FailureReason, str]:
        """One life of a worker, from its start to its end: why it ended, and how in words."""
        try:
            self._connection = await Connection.open(self._command)
        except OSError as error:
            return FailureReason.WORKER_DIED, f"could not be started ({error.strerror})"
        connection = self._connection
        self._heard_at = time.monotonic()
        connection.send(self._configure)
        listening = asyncio.create_task(self._listen(connection), name="listen to the worker")
        watching = asyncio.create_task(self._watch(), name="watch the worker")
        try:
            done, _ = await asyncio.wait((listening, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            watching.cancel()
            results = await asyncio.gather(listening, watching, return_exceptions=True)
        self._connection = None
        if self._state is WorkerState.READY:
            await self._set_state(WorkerState.RESTARTING, "The worker was lost a moment ago.")
        error = next((result for result in results if isinstance(result, (ProtocolError, _Hung))), None)
        if error is None and listening in done:
            return FailureReason.WORKER_DIED, await connection.close(self._timeouts.stop_s)
        await connection.kill()
        reason = FailureReason.WORKER_HUNG if isinstance(error, _Hung) else FailureReason.WORKER_DIED
        return reason, str(error or results[0])

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.messages():
            self._heard_at = time.monotonic()
            await self._take(message)

    async def _take(self, message: FromWorker) -> None:
        match message:
            case Ready():
                await self._welcome(message)
            case Unusable():
                _log.error("worker unusable", action="worker_unusable", sentence=message.sentence)
                await self._set_state(WorkerState.UNUSABLE, message.sentence)
            case Heartbeat():
                self._rss_bytes, self._phase = message.rss_bytes, message.phase
                self._check_movement(message)
            case Progress() | Finished() | Failed():
                self._hand_on(message)

    async def _welcome(self, ready: Ready) -> None:
        if ready.protocol_version != self._configure.protocol_version:
            raise ProtocolError(
                f"speaks version {ready.protocol_version} of the protocol and not {self._configure.protocol_version}"
            )
        self._ready = ready
        await self._set_state(WorkerState.READY, "")
        _log.info(
            "worker ready",
            action="worker_ready",
            device=ready.device_name,
            dtype=ready.dtype,
            models=ready.models,
        )
        for key, sentence in ready.missing.items():
            _log.warning("model missing", action="model_missing", model=key, sentence=sentence)
        for callback in self._callbacks:
            callback()

    def _hand_on(self, event: JobEvent) -> None:
        """Pass on what is about a running attempt; anything else is late, or said twice."""
        key = (event.job_id, event.attempt)
        if key not in self._running:
            _log.debug("stale message dropped", action="stale", kind=type(event).__name__, job_id=event.job_id)
            return
        if not isinstance(event, Progress):
            self._running.discard(key)
        self._events.put_nowait(event)

    def _check_movement(self, beat: Heartbeat) -> None:
        limit_s = {"running": self._timeouts.step_s, "loading": self._timeouts.load_s}.get(beat.phase)
        if limit_s is not None and beat.quiet_s > limit_s:
            raise _Hung(f"did not move for {beat.quiet_s:.0f} s while {beat.phase}")

    async def _watch(self) -> None:
        """Notice silence. Before it is ready, a worker imports libraries and cannot talk yet."""
        while True:
            is_ready = self._state is WorkerState.READY
            limit_s = self._timeouts.heartbeat_s if is_ready else self._timeouts.ready_s
            if time.monotonic() - self._heard_at > limit_s:
                raise _Hung(f"was silent for {limit_s:.0f} s")
            await asyncio.sleep(min(limit_s / 4, _MAX_CHECK_S))

    def _fail_running(self, reason: FailureReason, detail: str) -> None:
        for job_id, attempt in sorted(self._running):
            self._events.put_nowait(Failed(job_id=job_id, attempt=attempt, reason=reason, detail=detail))
        self._running.clear()

    async def _set_state(self, state: WorkerState, detail: str) -> None:
        async with self._changed:
            self._state, self._detail = state, detail
            self._changed.notify_all()
