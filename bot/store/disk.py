"""The free space of the disk that holds database and pictures."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from bot.troubles import Cause, Trouble

GB: Final = 1_000_000_000

_log = structlog.get_logger(__name__)


class DiskSpace:
    """Measures free space. While it is too low, no job is accepted, and running ones go on.

    Args:
        directory: a folder on the disk.
        min_free_gb: the least free space, in gigabytes (10^9 bytes); 0 accepts any.
    """

    def __init__(self, directory: Path, min_free_gb: float) -> None:
        self._directory = directory
        self._least = round(min_free_gb * GB)
        self.free_bytes: int | None = None
        """Free bytes at the last measurement; None before the first one, and where the disk did not answer."""
        self.trouble: Trouble | None = None
        """The trouble of a disk with too little free space; None if there is enough, or nobody measured."""

    async def measure(self) -> None:
        """Measure. A disk that does not answer is no trouble of space: the next write shows what it is."""
        try:
            self.free_bytes = (await asyncio.to_thread(shutil.disk_usage, self._directory)).free
        except OSError:
            self.free_bytes = None
        is_low = self.free_bytes is not None and self.free_bytes < self._least
        if not is_low or self.free_bytes is None:
            if self.trouble is not None:
                _log.info("the disk has room again", action="space_well", free_bytes=self.free_bytes)
            self.trouble = None
            return
        since = datetime.now(UTC) if self.trouble is None else self.trouble.since
        sentence = (
            f"The disk of {self._directory} has {self.free_bytes / GB:.1f} GB left, less than storage.min_free_gb "
            f"({self._least / GB:g}). No new job is accepted; running ones go on. Make room."
        )
        if self.trouble is None:
            _log.error(sentence, action="space_low")
        self.trouble = Trouble(cause=Cause.SPACE, sentence=sentence, since=since)
