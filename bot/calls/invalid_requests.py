"""A count of our invalid requests. Discord bans an address for a while after 10,000 of them in ten minutes.

https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import structlog

WINDOW_S: Final = 600.0
SPARE_AFTER: Final = 500
"""From this count on, only the last edit of a job is sent."""
STOP_AFTER: Final = 2_000
"""From this count on, nothing is sent."""
_INVALID: Final = frozenset({401, 403, 429})
_LIMIT: Final = 10_000

_log = structlog.get_logger(__name__)


class InvalidRequests:
    """A sliding window over the answers 401, 403 and 429, except 429 for limits shared with other bots."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_LIMIT)
        self._is_warned = False

    @property
    def count(self) -> int:
        """Invalid requests of the last ten minutes."""
        oldest = self._clock() - WINDOW_S
        while self._times and self._times[0] < oldest:
            self._times.popleft()
        return len(self._times)

    @property
    def is_sparing(self) -> bool:
        """Whether dispensable edits should be left out."""
        return self.count >= SPARE_AFTER

    @property
    def is_stopped(self) -> bool:
        """Whether nothing should be sent."""
        return self.count >= STOP_AFTER

    def look(self, status: int, headers: Mapping[str, str]) -> None:
        """Take an answer into account."""
        if status not in _INVALID or headers.get("X-RateLimit-Scope") == "shared":
            return
        self._times.append(self._clock())
        if self.is_sparing and not self._is_warned:
            _log.error("many invalid requests to Discord", action="invalid_requests", count=self.count)
        self._is_warned = self.is_sparing
