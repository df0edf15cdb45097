"""Jobs that no worker took a moment ago. They wait a little, so that the next ones have their turn."""

import asyncio
from collections.abc import Callable
from typing import Final

from bot.store.rows.jobs import Job

_PAUSE_S: Final = 1.0


class Refusals:
    """Jobs that are not claimed for a moment.

    Args:
        wake: called when one may be claimed again.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._ids: set[int] = set()

    @property
    def ids(self) -> frozenset[int]:
        """Numbers of these jobs."""
        return frozenset(self._ids)

    def note(self, job: Job) -> None:
        """Let a job wait a little."""
        self._ids.add(job.job_id)
        asyncio.get_running_loop().call_later(_PAUSE_S, self._forget, job.job_id)

    def _forget(self, job_id: int) -> None:
        self._ids.discard(job_id)
        self._wake()
