"""Cloudflare's block of this computer's IP address, and when it ends.

Cloudflare answers 429 with an HTML page; Discord's own rate limiter answers 429 with JSON. discord.py 2.7.1 waits only
for the latter. The block is for the address, so the whole process has one clock.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

LONGEST_WAIT_S: Final = 3_600.0
"""Longest wait in seconds. After it, the next request is tried even if `Retry-After` said more."""
_USUAL_WAIT_S: Final = 60.0
"""Wait in seconds when the answer has no usable `Retry-After`."""
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_BAD_REQUEST: Final = 400

_log = structlog.get_logger(__name__)


def is_block(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer is a block of the address. Discord's own answers are JSON and have a `Via` header."""
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return (status == _TOO_MANY and not (is_json and "Via" in headers)) or (status == _FORBIDDEN and not is_json)


def wait_of(headers: Mapping[str, str]) -> float:
    """Seconds before the next try, from `Retry-After`."""
    try:
        wait_s = float(headers.get("Retry-After", ""))
    except ValueError:
        wait_s = _USUAL_WAIT_S
    return min(wait_s, LONGEST_WAIT_S) if wait_s > 0 else _USUAL_WAIT_S


class AddressBlock:
    """The clock of the block. Each answer to a request of the client updates it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._is_logged = False

    @property
    def left_s(self) -> float:
        """Seconds until the next try; 0 if there is no block."""
        return max(0.0, self._until - self._clock())

    def look(self, status: int, headers: Mapping[str, str]) -> None:
        """Take an answer into account. A block is logged once, even if later answers renew it."""
        if not is_block(status, headers):
            if self._is_logged and status < _BAD_REQUEST:
                self._is_logged = False
                _log.info("Cloudflare takes requests of this computer again", action="address_free")
            return
        wait_s = wait_of(headers)
        self._until = max(self._until, self._clock() + wait_s)
        if not self._is_logged:
            self._is_logged = True
            _log.error(
                "Cloudflare blocks this computer's address, since too many requests to Discord came from it; Easel "
                "waits and sends nothing. If it comes again, use another address, or run fewer bots behind this one",
                action="address_blocked",
                status=status,
                wait_s=wait_s,
            )
