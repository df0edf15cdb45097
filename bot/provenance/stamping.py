"""The authority that confirms the time of signatures, and whether it answers.

Without its stamp, a signature holds no longer than its certificate.
"""

import time
from datetime import UTC, datetime
from typing import Final

import structlog

from bot.troubles import Cause, Trouble

STAMP_S: Final = 5.0
"""Seconds for a signature with a time stamp."""
REST_S: Final = 300.0
"""Seconds without a new try after an authority did not answer, so that it holds up few pictures."""

_log = structlog.get_logger(__name__)


class Stamping:
    """Decides which signatures ask for a time stamp.

    Args:
        url: the authority's address (RFC 3161); empty for none.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.trouble: Trouble | None = None
        """The authority's failure; None once it answers again."""
        self._rests_until_s = 0.0

    def url_now(self) -> str:
        """The address that the next signature asks; empty if there is none, or if it rests after a failure."""
        return "" if time.monotonic() < self._rests_until_s else self.url

    def note(self, fault: str) -> None:
        """Note what became of a try; an empty fault is success. The first failure of a row is logged."""
        if not fault:
            if self.trouble is not None:
                _log.info("time stamps come again", action="stamped_again")
            self.trouble, self._rests_until_s = None, 0.0
            return
        self._rests_until_s = time.monotonic() + REST_S
        if self.trouble is None:
            _log.warning("a signature has no time stamp", action="unstamped", detail=fault)
            sentence = (
                f"The time stamp authority {self.url} (provenance.timestamp_url) gives no time stamps. Pictures are "
                "signed without them. Check the address, and the network of this computer."
            )
            self.trouble = Trouble(cause=Cause.STAMPING, sentence=sentence, since=datetime.now(UTC))
