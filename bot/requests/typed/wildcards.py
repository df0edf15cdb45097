"""The owner's word lists: files in a folder with an entry on each line. Each job reads them again."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from bot.errors import Refused
from bot.safety.words.matching import Hit, Matcher
from pipeline.prompts.expansion import UnknownWildcard, wildcard_names

MAX_BYTES: Final = 1024 * 1024
"""Most bytes of a list."""
_MAX_JUDGED: Final = 300
"""Most lines of a list that are judged."""
_MAX_NAMES: Final = 2_000
"""Most lists that are searched for a similar name."""


class BrokenWildcard(Exception):
    """A list exists and cannot be used; the text gives the owner the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


class Offending(msgspec.Struct, frozen=True, kw_only=True):
    """A list that has a line with a rule's word: its name, the line, whose rule it is, and what the rule found."""

    name: str
    line: str
    whose: str
    hit: Hit


class WildcardFolder:
    """Word lists by their names: `things/fruit` is the file `things/fruit.txt`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lines(self, name: str) -> tuple[str, ...]:
        """The entries of a list, without empty lines and lines that begin with `#`.

        Args:
            name: lower-case letters, digits, and `-`, `_` or `/` between them.

        Raises:
            UnknownWildcard: the folder has no file of this name.
            BrokenWildcard: the file is too large, no UTF-8, without an entry, or unreadable.
        """
        file = self._folder / f"{name}.txt"
        try:
            # A link must not lead out of the folder, and a pipe would never end.
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
        """Names of lists for a hint, at most `_MAX_NAMES` of them."""
        try:
            files = itertools.islice(self._folder.rglob("*.txt"), _MAX_NAMES)
            return sorted(file.relative_to(self._folder).with_suffix("").as_posix() for file in files)
        except OSError:
            return []  # there is no hint; the log tells the owner the reason when a list is used

    def offending(self, prompt: str, matchers: Mapping[str, Matcher]) -> list[Offending]:
        """The lists named in a prompt that have a line with a rule's word: of each list the first such line.

        Args:
            prompt: the prompt as typed.
            matchers: the rules, by whose they are.
        """
        return [found for name in wildcard_names(prompt) for found in self._first(name, matchers)]

    def _first(self, name: str, matchers: Mapping[str, Matcher]) -> Iterator[Offending]:
        try:
            lines = self.lines(name)[:_MAX_JUDGED]
        except (UnknownWildcard, BrokenWildcard):
            return
        for line, (whose, matcher) in itertools.product(lines, matchers.items()):
            try:
                hits = matcher.hits(line)
            except Refused:
                continue  # so long a line is judged with its prompt
            if hits:
                yield Offending(name=name, line=line, whose=whose, hit=hits[0])
                return
