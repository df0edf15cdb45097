"""Until when Cloudflare, which stands before Discord, takes nothing from this computer's address.

It answers 429 with a page where Discord's own limiter answers JSON, and discord.py 2.7.1 waits only for the latter.
The block is for the address, so there is one clock for the whole process.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

LONGEST_WAIT_S: Final = 3_600.0
"""Then it is tried again, whatever was said."""
_USUAL_WAIT_S: Final = 60.0
"""Where it is not said for how long."""
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_BAD_REQUEST: Final = 400

_log = structlog.get_logger(__name__)


def is_block(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer is a block of the address: not Discord's own word, which is JSON and came by its proxy."""
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return (status == _TOO_MANY and not (is_json and "Via" in headers)) or (status == _FORBIDDEN and not is_json)


def wait_of(headers: Mapping[str, str]) -> float:
    """For how many seconds the next try should wait."""
    try:
        wait_s = float(headers.get("Retry-After", ""))
    except ValueError:
        wait_s = _USUAL_WAIT_S
    return min(wait_s, LONGEST_WAIT_S) if wait_s > 0 else _USUAL_WAIT_S


class AddressBlock:
    """The clock, wound by every answer to a request of the client."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._is_told = False

    @property
    def left_s(self) -> float:
        """Seconds until the next try; 0 where nothing is blocked."""
        return max(0.0, self._until - self._clock())

    def look(self, status: int, headers: Mapping[str, str]) -> None:
        """Take an answer into account. A block is told once, whatever it is renewed by."""
        if not is_block(status, headers):
            if self._is_told and status < _BAD_REQUEST:
                self._is_told = False
                _log.info("Cloudflare takes requests of this computer again", action="address_free")
            return
        wait_s = wait_of(headers)
        self._until = max(self._until, self._clock() + wait_s)
        if not self._is_told:
            self._is_told = True
            _log.error(
                "Cloudflare blocks this computer's address, since too many requests to Discord came from it; Easel "
                "waits and sends nothing. If it comes again, use another address, or run fewer bots behind this one",
                action="address_blocked",
                status=status,
                wait_s=wait_s,
            )
