"""What the engine is doing and when it last moved; written by the step loop, read by the heartbeat."""

import time

from pipeline.protocol.messages import Phase


class Activity:
    """Phase and time of the last movement. One pair is replaced whole, so readers need no lock."""

    def __init__(self) -> None:
        self._state: tuple[Phase, float] = ("idle", time.monotonic())

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return self._state[0]

    def enter(self, phase: Phase) -> None:
        """Begin a phase, which is a movement too."""
        self._state = (phase, time.monotonic())

    def moved(self) -> None:
        """Something got done: a step, a loaded component, a decoded image."""
        self._state = (self._state[0], time.monotonic())

    def read(self) -> tuple[Phase, float]:
        """The phase and the seconds since the last movement, which are 0 when idle."""
        phase, since = self._state
        return phase, 0.0 if phase == "idle" else time.monotonic() - since
