"""Attempts that are not drawn yet."""

import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from pipeline.engine.steps.jobs import AttemptId
from pipeline.protocol.messages import Submit

SWITCH_PATIENCE_S: Final = 20.0
"""A job whose model is not loaded lets others pass for so long; then the running ones end and it is loaded."""


class WaitingAttempts:
    """First come, first served, but for those whose model must wait for room."""

    def __init__(self) -> None:
        self._line: deque[tuple[Submit, float]] = deque()

    def __len__(self) -> int:
        """Attempts that wait."""
        return len(self._line)

    def __contains__(self, name: AttemptId) -> bool:
        """That attempt waits."""
        return any(name_of(submit) == name for submit, _ in self._line)

    def add(self, submit: Submit) -> None:
        """Put an attempt at the end."""
        self._line.append((submit, time.monotonic()))

    def remove(self, name: AttemptId) -> None:
        """Take an attempt out, if it is there."""
        self._line = deque(entry for entry in self._line if name_of(entry[0]) != name)

    def take(self, may_start: Callable[[str], bool], busy: Collection[str] = ()) -> Submit | None:
        """The next attempt whose model may be used now; None where all must wait.

        Args:
            may_start: whether a model is loaded, or may be.
            busy: models that draw one job at a time, and do; theirs wait without keeping anybody.
        """
        for entry in self._line:
            submit, came_at = entry
            if submit.request.model_key in busy:
                continue
            if may_start(submit.request.model_key):
                self._line.remove(entry)
                return submit
            if time.monotonic() - came_at > SWITCH_PATIENCE_S:
                return None
        return None


def name_of(submit: Submit) -> AttemptId:
    """What an attempt is called."""
    return submit.job_id, submit.attempt
