"""Notification of changes in the local Discord.

Polling would make every test slow or busy. Instead each REST request and each gateway
event notifies all waiting tasks, and each task checks its own condition again.
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
        """Number of changes so far. A page compares it with the number at its last publication."""

    def ring(self) -> None:
        """Wake all waiting tasks; each checks its own condition."""
        # The next round gets a new event, so that no task must clear a shared one.
        self.count += 1
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def following(self) -> None:
        """Wait for the next change."""
        await self._bell.wait()

    async def until(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Return the first true result of `look`, or None after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (seen := look()):
                    await self._bell.wait()
        except TimeoutError:
            # The last change may have come together with the deadline.
            return look() or None
        return seen
