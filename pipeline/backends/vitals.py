"""What a backend knows of its worker now, and who waits for a change of it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import structlog

from pipeline.backends.base import BackendStatus, Start, WorkerState, WorkerUnavailable
from pipeline.protocol.wire.messages import Heartbeat, Phase, Ready

_log = structlog.get_logger(__name__)


class Vitals:
    """State, last words and memory of a worker.

    Attributes:
        state: the worker's state.
        detail: a sentence about the state; empty for a ready worker.
        start: the start that is under way, or the one of the ready worker.
        restarts: number of workers that were started after the first.
    """

    def __init__(self) -> None:
        self.state = WorkerState.STOPPED
        self.detail = "The worker was not started."
        self.start: Start | None = None
        self.restarts = 0
        self._ready: Ready | None = None
        self._rss_bytes = 0
        self._phase: Phase = "idle"
        self._changed = asyncio.Condition()
        self._callbacks: list[Callable[[], None]] = []

    async def turn(self, state: WorkerState, detail: str) -> None:
        """Note another state, and wake whoever waits for one."""
        async with self._changed:
            self.state, self.detail = state, detail
            self._changed.notify_all()

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until the worker is ready.

        Raises:
            WorkerUnavailable: the worker was not ready in time, or reported that it cannot work.
        """
        ends = (WorkerState.READY, WorkerState.UNUSABLE, WorkerState.STOPPED)
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self.state in ends)
        except TimeoutError as error:
            raise WorkerUnavailable(self.detail) from error
        if self.state is not WorkerState.READY or self._ready is None:
            raise WorkerUnavailable(self.detail)
        return self._ready

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time the worker becomes ready."""
        self._callbacks.append(callback)

    async def become_ready(self, ready: Ready) -> None:
        """Note and log what a worker says of itself when it is ready, and tell those who asked."""
        self._ready = ready
        if self.start is not None:
            self.start = msgspec.structs.replace(self.start, ready_at=datetime.now(UTC))
        await self.turn(WorkerState.READY, "")
        _log.info(
            "worker ready", action="worker_ready", device=ready.device_name, dtype=ready.dtype, models=ready.models
        )
        for key, sentence in ready.missing.items():
            _log.warning("model missing", action="model_missing", model=key, sentence=sentence)
        if ready.text_mask_fault:
            _log.warning("text mask missing", action="model_missing", sentence=ready.text_mask_fault)
        for callback in self._callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - an error of a callback must not end the worker
                _log.exception("a callback failed", action="callback_failed")

    def hear(self, message: Heartbeat) -> None:
        """Note memory and phase of a living worker."""
        self._rss_bytes, self._phase = message.rss_bytes, message.phase

    def rest(self) -> None:
        """Note that there is no worker: it uses no memory and does nothing."""
        self._rss_bytes, self._phase = 0, "idle"

    @property
    def capacity(self) -> int:
        """Number of attempts that the worker takes at once; 0 while it is not ready."""
        return self._ready.capacity if self.state is WorkerState.READY and self._ready is not None else 0

    @property
    def status(self) -> BackendStatus:
        """All of it, for others."""
        return BackendStatus(
            state=self.state,
            ready=self._ready,
            rss_bytes=self._rss_bytes,
            phase=self._phase,
            restarts=self.restarts,
            detail=self.detail,
            start=self.start,
        )
