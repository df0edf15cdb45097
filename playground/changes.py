"""A bell that rings whenever something in the local Discord changed.

Waiting for a condition by polling would make every test either slow or busy.
Everything that alters the world (a REST request, a gateway event) rings the
bell, and whoever waits looks again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Changes:
    """Lets any number of tasks wait until a condition holds."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self.count = 0
        """How often it rang, so that whoever shows the world can tell whether it is as it was shown."""

    def ring(self) -> None:
        """Wake everyone who waits; each waiter checks its own condition."""
        # A fresh event for the next round, so that nobody has to clear a shared one.
        self.count += 1
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def following(self) -> None:
        """Wait for the next change, whatever it is."""
        await self._bell.wait()

    async def until(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Return the first true result of `look`, or None when the time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (seen := look()):
                    await self._bell.wait()
        except TimeoutError:
            # One last look: the change may have come together with the deadline.
            return look() or None
        return seen
