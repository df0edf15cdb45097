"""`forgotten.jsonl` beside the database: the wishes to be forgotten, a line each.

The file is no part of a backup. So whoever was forgotten is forgotten again after a restore. A wish is also written
here before it is carried out, so that a crash loses none, and `easel db forget` hands wishes to a running Easel by it.
"""

import contextlib
import fcntl
import os
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

import msgspec
import structlog

from bot.store.rows.wishes import Wish
from bot.store.sqlite.copying import publish

KEPT: Final = timedelta(days=90)
"""Time for which wishes are kept. A backup that is older brings words back."""

_log = structlog.get_logger(__name__)


class WishFile:
    """The file of wishes of a database. Only its owner may read it, since it names people."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name("forgotten.jsonl")

    def add(self, wish: Wish) -> None:
        """Append a wish, durable on return.

        Raises:
            OSError: the disk refused.
        """
        with self._locked(), _private(self._path, os.O_WRONLY | os.O_APPEND) as file:
            there = self._path.read_bytes()
            torn = b"\n" if there and not there.endswith(b"\n") else b""
            file.write(torn + msgspec.json.encode(wish) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def wishes(self) -> list[Wish]:
        """All wishes, oldest first. A line that cannot be read is logged and left out.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found: list[Wish] = []
        for number, line in enumerate(lines, 1):
            try:
                found.append(msgspec.json.decode(line, type=Wish))
            except msgspec.DecodeError as error:
                _log.error("wish not read", action="wish_not_read", line=number, error=str(error))
        return found

    def drop_old(self, now: datetime) -> None:
        """Remove the wishes that are older than `KEPT`.

        Raises:
            OSError: the disk refused.
        """
        with self._locked():
            wishes = self.wishes()
            kept = [wish for wish in wishes if now - wish.at < KEPT]
            if len(kept) == len(wishes):
                return
            partial = self._path.with_name(f".{self._path.name}.partial")
            with _private(partial, os.O_WRONLY | os.O_TRUNC) as file:
                file.writelines(msgspec.json.encode(wish) + b"\n" for wish in kept)
            publish(partial, self._path)

    def stamp(self) -> tuple[int, int]:
        """A value that changes when wishes are added."""
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """Keep the bot and the command line from writing at once."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _private(self._path.with_name(f"{self._path.name}.lock"), os.O_WRONLY) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _private(path: Path, flags: int) -> IO[bytes]:
    """Open or make a file that nobody else may read."""
    return os.fdopen(os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb")
