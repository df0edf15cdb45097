"""The engine's present phase and last sign of progress, which the heartbeat reports."""

import contextlib
import threading
import time
from collections.abc import Generator

from pipeline.protocol.wire.messages import Phase


class Activity:
    """Phase of the engine, and the time of the last progress of the engine and of each working thread.

    Progress is recorded for each thread, so that running steps cannot hide a decoding thread that hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase: Phase = "idle"
        self._progress_at = time.monotonic()
        self._at_work: dict[int, float] = {}

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return self._phase

    def enter(self, phase: Phase) -> None:
        """Begin a phase; this counts as progress."""
        self._phase = phase
        self.note_progress()

    @contextlib.contextmanager
    def at_work(self) -> Generator[None]:
        """Context in which the calling thread must report progress."""
        thread = threading.get_ident()
        with self._lock:
            self._at_work[thread] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._at_work[thread]
                self._progress_at = time.monotonic()

    def note_progress(self) -> None:
        """Report progress of the calling thread: a step, a loaded component, a decoded image."""
        thread, now = threading.get_ident(), time.monotonic()
        with self._lock:
            self._progress_at = now
            if thread in self._at_work:
                self._at_work[thread] = now

    def read(self) -> tuple[Phase, float]:
        """Phase, and seconds since the last progress of the working thread that is longest without it.

        When no thread is working, the seconds count from the engine's last progress. They are 0 in the phase "idle".
        """
        with self._lock:
            since = min(self._at_work.values(), default=self._progress_at)
        return self._phase, 0.0 if self._phase == "idle" else time.monotonic() - since
