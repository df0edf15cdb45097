"""Pauses: whom rules of words refuse again and again asks for nothing for a while. They end by themselves.

Pauses are stored; the refusals of the last minutes are counted in memory.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Final, TypeAlias

MAX_REFUSALS: Final = 5
WINDOW: Final = timedelta(minutes=10)
"""Time within which so many refusals lead to a pause."""
STEP: Final = timedelta(minutes=10)
"""Length of a first pause, and by how much each warning that counts makes it longer."""
LONGEST: Final = timedelta(hours=1)

Who: TypeAlias = tuple[int, int]
"""Server and member."""


class RefusalCount:
    """Counts refusals by rules of words, by server and member."""

    def __init__(self) -> None:
        self._refused: dict[Who, deque[datetime]] = {}

    def note(self, who: Who, now: datetime) -> bool:
        """Count a refusal; returns whether it is the last of too many."""
        self._drop_old(now)
        times = self._refused.setdefault(who, deque(maxlen=MAX_REFUSALS))
        times.append(now)
        if len(times) < MAX_REFUSALS:
            return False
        del self._refused[who]
        return True

    def _drop_old(self, now: datetime) -> None:
        for who, times in list(self._refused.items()):
            while times and times[0] <= now - WINDOW:
                times.popleft()
            if not times:
                del self._refused[who]
