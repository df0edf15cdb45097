"""Watchdog: decides when a worker counts as lost although its process still runs."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

import msgspec

from pipeline.protocol.wire.messages import FromWorker, Heartbeat

_MAX_CHECK_S: Final = 0.5
_CHECKS_PER_LIMIT: Final = 4
_FREEZES_PER_LIMIT: Final = 2


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Time limits in seconds.

    Attributes:
        ready_s: time from the start to `Ready`; time in which the worker reports the phase "loading" does not count.
        heartbeat_s: silence of a ready worker.
        step_s: time without progress in the phase "running", or in the phase "idle" while the worker has attempts.
        load_s: time without progress in the phase "loading".
        stop_s: time for each step of ending the process, before the next harder one.
        backoff_min_s: pause before the first restart.
        backoff_max_s: longest pause.
        stable_s: ready time after which the next pause is the shortest again.
    """

    ready_s: float = 180.0
    heartbeat_s: float = 15.0
    step_s: float = 120.0
    load_s: float = 1_800.0
    stop_s: float = 5.0
    backoff_min_s: float = 0.25
    backoff_max_s: float = 60.0
    stable_s: float = 60.0


class Watchdog:
    """Observations of one worker process, to detect that it hangs."""

    def __init__(self, timeouts: Timeouts, *, has_work: Callable[[], bool] = lambda: False) -> None:
        self._timeouts = timeouts
        self._has_work = has_work
        self._heard_at = time.monotonic()
        self._worked_at = self._heard_at
        self._awake_since = -math.inf
        self._waiting_since = self._heard_at
        self._ready_at: float | None = None
        self._beat: Heartbeat | None = None
        self._before: Heartbeat | None = None
        self._standstill: Heartbeat | None = None
        self._ended_at: float | None = None

    @property
    def is_over(self) -> bool:
        """True when the worker counts as lost; its earlier messages are still read."""
        return self._ended_at is not None

    @property
    def was_stable(self) -> bool:
        """True when the worker was ready for so long that its end does not belong to a series of failures."""
        if self._ready_at is None or self._ended_at is None:
            return False
        return self._ended_at - self._ready_at >= self._timeouts.stable_s

    def heard(self, message: FromWorker) -> None:
        """Record a message."""
        self._heard_at = time.monotonic()
        # A message about a job is progress, so an earlier heartbeat is outdated.
        self._beat = message if isinstance(message, Heartbeat) else None
        if isinstance(message, Heartbeat):
            # Two successive stalled heartbeats mean that another part hangs, although a job makes progress.
            self._standstill = message if self._is_stalled(self._before) and self._is_stalled(message) else None
            self._before = message
        if self._beat is None or self._beat.phase != "idle":
            self._worked_at = self._heard_at
        if self._beat is not None and self._beat.phase == "loading":
            self._waiting_since = self._heard_at

    def now_ready(self) -> None:
        """Record that the worker is ready; from now on heartbeats are required."""
        self._ready_at = time.monotonic()

    def end(self) -> None:
        """Record that the worker counts as lost."""
        self._ended_at = time.monotonic()

    async def find_fault(self) -> str:
        """Wait until the worker seems to hang; returns the reason, which completes a sentence starting "The worker"."""
        while True:
            found = self._find_fault_now()
            if found is not None:
                return found
            slept_at, check_s = time.monotonic(), self._check_s()
            await asyncio.sleep(check_s)
            self._slept(time.monotonic() - slept_at - check_s)

    def _slept(self, late_s: float) -> None:
        """Restart the time limits after a late wake-up, because then the whole container was probably paused."""
        if late_s > self._timeouts.heartbeat_s / _FREEZES_PER_LIMIT:
            self._awake_since = time.monotonic()

    def _find_fault_now(self) -> str | None:
        now, limits = time.monotonic(), self._timeouts
        awake_s = now - self._awake_since
        if not self._has_work():
            self._worked_at = now
        for beat in (self._beat, self._standstill):
            if beat is not None and self._is_stalled(beat, awake_s):
                return f"made no progress for {beat.since_progress_s:.0f} s while {beat.phase}"
        if self._ready_at is None:
            # A worker sends no heartbeats before its imports are done, and imports take long.
            is_late = min(now - self._waiting_since, awake_s) > limits.ready_s
            return f"was not ready in {limits.ready_s:g} s" if is_late else None
        if min(now - self._heard_at, awake_s) > limits.heartbeat_s:
            return f"was silent for {limits.heartbeat_s:g} s"
        if min(now - self._worked_at, awake_s) > limits.step_s:
            return f"was idle for {limits.step_s:g} s though it had a job"
        return None

    def _is_stalled(self, beat: Heartbeat | None, awake_s: float = math.inf) -> bool:
        """True when a heartbeat reports no progress for longer than its phase's limit, and `awake_s` exceeds it too."""
        if beat is None or beat.phase == "idle":
            return False
        limit_s = self._timeouts.step_s if beat.phase == "running" else self._timeouts.load_s
        return min(beat.since_progress_s, awake_s) > limit_s

    def _check_s(self) -> float:
        limit_s = self._timeouts.ready_s if self._ready_at is None else self._timeouts.heartbeat_s
        return min(limit_s / _CHECKS_PER_LIMIT, _MAX_CHECK_S)
