"""What the engine is doing and when it last moved; written where work is done, read by the heartbeat."""

import contextlib
import threading
import time
from collections.abc import Generator

from pipeline.protocol.messages import Phase


class Activity:
    """Phase and times of the last movement: of the engine, and of each thread that is at work.

    Steps that go on hide no picture whose decoding hangs: who is at work must move, whoever else does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase: Phase = "idle"
        self._moved_at = time.monotonic()
        self._at_work: dict[int, float] = {}

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return self._phase

    def enter(self, phase: Phase) -> None:
        """Begin a phase, which is a movement too."""
        self._phase = phase
        self.moved()

    @contextlib.contextmanager
    def at_work(self) -> Generator[None]:
        """While this lasts, the thread that called it must move."""
        thread = threading.get_ident()
        with self._lock:
            self._at_work[thread] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._at_work[thread]
                self._moved_at = time.monotonic()

    def moved(self) -> None:
        """This thread got something done: a step, a loaded component, a decoded image."""
        thread, now = threading.get_ident(), time.monotonic()
        with self._lock:
            self._moved_at = now
            if thread in self._at_work:
                self._at_work[thread] = now

    def read(self) -> tuple[Phase, float]:
        """The phase, and for how many seconds the slowest thread at work has not moved.

        Where none is, though the engine is not idle, it is the time since anything moved. Idle it is 0.
        """
        with self._lock:
            since = min(self._at_work.values(), default=self._moved_at)
        return self._phase, 0.0 if self._phase == "idle" else time.monotonic() - since
