"""When a worker counts as lost though its process still lives."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

import msgspec

from pipeline.protocol.messages import FromWorker, Heartbeat

_MAX_CHECK_S: Final = 0.5
_CHECKS_PER_LIMIT: Final = 4
_FREEZES_PER_LIMIT: Final = 2


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """When to give up, in seconds.

    Attributes:
        ready_s: from the start to `Ready`; time in which the worker says that it loads does not count.
        heartbeat_s: silence of a ready worker.
        step_s: an engine that runs but does not move, or has attempts and is idle all the same.
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
    backoff_min_s: float = 0.25
    backoff_max_s: float = 60.0
    stable_s: float = 60.0


class Watchdog:
    """What one life of a worker showed so far, and whether that still looks alive."""

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
        """Whether the worker was given up; what it said before is read all the same."""
        return self._ended_at is not None

    @property
    def was_stable(self) -> bool:
        """Whether the worker was ready for so long that its end is no part of a series."""
        if self._ready_at is None or self._ended_at is None:
            return False
        return self._ended_at - self._ready_at >= self._timeouts.stable_s

    def heard(self, message: FromWorker) -> None:
        """Take note of a message."""
        self._heard_at = time.monotonic()
        # A word about a job is movement, so the beat before it tells nothing any more.
        self._beat = message if isinstance(message, Heartbeat) else None
        if isinstance(message, Heartbeat):
            # But where one beat after the other tells it, something else stands still beside the job that moves.
            self._standstill = message if self._is_quiet(self._before) and self._is_quiet(message) else None
            self._before = message
        if self._beat is None or self._beat.phase != "idle":
            self._worked_at = self._heard_at
        if self._beat is not None and self._beat.phase == "loading":
            self._waiting_since = self._heard_at

    def now_ready(self) -> None:
        """From here on the worker must beat."""
        self._ready_at = time.monotonic()

    def end(self) -> None:
        """The worker was given up."""
        self._ended_at = time.monotonic()

    async def find_fault(self) -> str:
        """Wait until the worker looks lost: what is wrong with it, in words that follow "The worker"."""
        while True:
            found = self._find_fault_now()
            if found is not None:
                return found
            slept_at, check_s = time.monotonic(), self._check_s()
            await asyncio.sleep(check_s)
            self._slept(time.monotonic() - slept_at - check_s)

    def _slept(self, late_s: float) -> None:
        """A container that was paused stood still as a whole: its worker gets the whole time to speak again."""
        if late_s > self._timeouts.heartbeat_s / _FREEZES_PER_LIMIT:
            self._awake_since = time.monotonic()

    def _find_fault_now(self) -> str | None:
        now, limits = time.monotonic(), self._timeouts
        awake_s = now - self._awake_since
        if not self._has_work():
            self._worked_at = now
        for beat in (self._beat, self._standstill):
            if beat is not None and self._is_quiet(beat, awake_s):
                return f"did not move for {beat.quiet_s:.0f} s while {beat.phase}"
        if self._ready_at is None:
            # Importing libraries takes long, and a worker cannot beat before that is done.
            is_late = min(now - self._waiting_since, awake_s) > limits.ready_s
            return f"was not ready in {limits.ready_s:g} s" if is_late else None
        if min(now - self._heard_at, awake_s) > limits.heartbeat_s:
            return f"was silent for {limits.heartbeat_s:g} s"
        if min(now - self._worked_at, awake_s) > limits.step_s:
            return f"was idle for {limits.step_s:g} s though it had a job"
        return None

    def _is_quiet(self, beat: Heartbeat | None, awake_s: float = math.inf) -> bool:
        """A beat says that something should move and did not for too long, even of the time that it was awake."""
        if beat is None or beat.phase == "idle":
            return False
        limit_s = self._timeouts.step_s if beat.phase == "running" else self._timeouts.load_s
        return min(beat.quiet_s, awake_s) > limit_s

    def _check_s(self) -> float:
        limit_s = self._timeouts.ready_s if self._ready_at is None else self._timeouts.heartbeat_s
        return min(limit_s / _CHECKS_PER_LIMIT, _MAX_CHECK_S)
