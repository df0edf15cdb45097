"""Attempts that wait to be started."""

import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.messages import Submit

SWITCH_PATIENCE_S: Final = 20.0
"""Seconds that later attempts may overtake an attempt whose model is not loaded.

After that no attempt starts before it: the running jobs end, and then its model is loaded.
"""


class WaitingAttempts:
    """Queue of attempts in order of arrival; an attempt is overtaken while its model cannot be loaded."""

    def __init__(self) -> None:
        self._line: deque[tuple[Submit, float]] = deque()

    def __len__(self) -> int:
        """Number of waiting attempts."""
        return len(self._line)

    def __contains__(self, name: AttemptId) -> bool:
        """True when the attempt waits."""
        return any(name_of(submit) == name for submit, _ in self._line)

    def add(self, submit: Submit) -> None:
        """Append an attempt."""
        self._line.append((submit, time.monotonic()))

    def remove(self, name: AttemptId) -> None:
        """Remove an attempt; an unknown one is ignored."""
        self._line = deque(entry for entry in self._line if name_of(entry[0]) != name)

    def take(self, may_start: Callable[[Request], bool], busy: Collection[str] = ()) -> Submit | None:
        """Remove and return the next attempt whose model may be used now; None when all must wait.

        Args:
            may_start: tells whether all that a request needs is loaded or may be loaded.
            busy: keys of whole pipelines that run a job already. Attempts for them wait and delay no others.
        """
        for entry in self._line:
            submit, came_at = entry
            if submit.request.model_key in busy:
                continue
            if may_start(submit.request):
                self._line.remove(entry)
                return submit
            if time.monotonic() - came_at > SWITCH_PATIENCE_S:
                return None
        return None


def name_of(submit: Submit) -> AttemptId:
    """Identifier of an attempt."""
    return submit.job_id, submit.attempt
