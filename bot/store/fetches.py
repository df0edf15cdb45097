"""Downloads of models that run: the command line makes a mark for each, which the bot reads."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

_FOLDER: Final = ".fetching"
_DIGITS: Final = 3


class FetchRuns(Exception):
    """Another process downloads this entry."""


class Fetches:
    """The marks of running downloads. A mark counts while its process lives, since that locks the file.

    Args:
        directory: folder of the downloaded models.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory / _FOLDER

    @contextlib.contextmanager
    def marked(self, key: str) -> Generator[Callable[[int], None]]:
        """Mark an entry while the context lasts; the function that comes out takes the percentage that is here.

        Raises:
            FetchRuns: the entry is marked already.
            OSError: the mark cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / key
        # Opened without a mode of files: one would empty another's mark, and the other can only append.
        mark = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FetchRuns(key) from error

            def note(percent: int) -> None:
                os.pwrite(mark, f"{percent:{_DIGITS}d}".encode(), 0)

            note(0)
            try:
                yield note
            finally:
                path.unlink(missing_ok=True)
        finally:
            os.close(mark)

    def percent(self, key: str) -> int | None:
        """Percentage of an entry that is here; None while nobody downloads it."""
        try:
            with (self._folder / key).open("rb") as mark:
                fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._read(key)
        except OSError:
            return None
        return None

    def _read(self, key: str) -> int | None:
        try:
            return int((self._folder / key).read_bytes())
        except (OSError, ValueError):
            return None
