"""The owner's lists of words: files of a folder, a line an entry, looked at anew for every job."""

import itertools
from pathlib import Path
from typing import Final

from pipeline.prompts.expansion import UnknownWildcard

MAX_BYTES: Final = 1024 * 1024
"""Of one list."""
_MAX_NAMES: Final = 2_000
"""Lists among which one with a name like a mistyped one is looked for."""


class BrokenWildcard(Exception):
    """A list is there and cannot be used; the text says why, to the owner."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


class WildcardFolder:
    """Lists by their names: `things/fruit` is the file `things/fruit.txt`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lines(self, name: str) -> tuple[str, ...]:
        """The entries of a list; empty lines and those that begin with `#` are none.

        Args:
            name: small letters, digits, and `-`, `_` or `/` between them.

        Raises:
            UnknownWildcard: no file of the folder has this name.
            BrokenWildcard: it is too large, no UTF-8, without an entry, or cannot be read.
        """
        file = self._folder / f"{name}.txt"
        try:
            # A link may not lead out of the folder, and a pipe would never end.
            if not file.resolve().is_relative_to(self._folder.resolve()) or not file.is_file():
                raise UnknownWildcard(name)
            with file.open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise BrokenWildcard(name, f"{file} is larger than {MAX_BYTES} bytes")
            lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise BrokenWildcard(name, f"{file} cannot be read: {error}") from error
        entries = tuple(line for line in lines if line and not line.startswith("#"))
        if not entries:
            raise BrokenWildcard(name, f"{file} has no entry")
        return entries

    def names(self) -> list[str]:
        """The names of the lists, for a hint; no more than can be looked through at once."""
        try:
            files = itertools.islice(self._folder.rglob("*.txt"), _MAX_NAMES)
            return sorted(file.relative_to(self._folder).with_suffix("").as_posix() for file in files)
        except OSError:
            return []  # a hint less; the owner reads why in the log when a list is used
