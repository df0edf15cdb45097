"""Numbers that are never used twice, also after a copy was restored.

The numbers of jobs and expansions are in buttons and file names for ever. How far they went is written beside the
database every few seconds; a file that knows less than that, or that says it is a copy, is an older state: it begins a
new timeline, whose numbers lie behind all that were ever used.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from bot.store.sqlite.copying import COPY_MARK, publish
from bot.store.sqlite.statements import fetch_all, fetch_one

UNSEEN: Final = 10_000
"""Numbers that may have been used after the mark was written for the last time, seconds before the end."""
_UNKNOWN: Final = 1_000_000
"""The same where there is no mark."""

USED: Final = "SELECT name, seq FROM sqlite_sequence"
BEGIN: Final = "UPDATE timeline SET number = abs(random() % 0x7FFEFFFF) + 0x10000"


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The highest numbers that were used; each is one in `sqlite_sequence`."""

    jobs: int = 0
    expansions: int = 0

    def or_higher(self, other: "Numbers") -> "Numbers":
        """The higher one of each."""
        return Numbers(jobs=max(self.jobs, other.jobs), expansions=max(self.expansions, other.expansions))

    def after(self, count: int) -> "Numbers":
        """So many further on."""
        return Numbers(jobs=self.jobs + count, expansions=self.expansions + count)


def used_numbers(connection: sqlite3.Connection) -> Numbers:
    """What a database of any version knows of its own numbers."""
    return numbers_in(fetch_all(connection, USED))


def numbers_in(rows: Iterable[tuple[str, int] | sqlite3.Row]) -> Numbers:
    """What `USED` found."""
    used = {str(row[0]): int(row[1]) for row in rows}
    return Numbers(jobs=used.get("jobs", 0), expansions=used.get("expansions", 0))


def read_mark(database: Path) -> Numbers | None:
    """The numbers that the file beside a database knows; None where it is missing, or was torn by a power loss."""
    try:
        return msgspec.json.decode(_mark_of(database).read_bytes(), type=Numbers)
    except (OSError, msgspec.DecodeError):
        return None


def write_mark(database: Path, numbers: Numbers) -> None:
    """Remember that these numbers are used.

    Raises:
        OSError: the disk would not take it.
    """
    mark = _mark_of(database)
    partial = mark.with_name(f".{mark.name}.partial")
    partial.write_bytes(msgspec.json.encode(numbers))
    publish(partial, mark)


def go_on(connection: sqlite3.Connection, database: Path) -> bool:
    """Go on in the timeline of a file that is up to date, or begin a new one where it is an older state.

    Returns:
        Whether a new one began.
    """
    used, mark = used_numbers(connection), read_mark(database)
    row = fetch_one(connection, "PRAGMA application_id")
    is_copy = row is not None and row[0] == COPY_MARK
    if not is_copy and (mark is None or used.or_higher(mark) == used):
        return False
    begun = used.or_higher(mark).after(UNSEEN) if mark is not None else used.after(_UNKNOWN)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM sqlite_sequence WHERE name IN ('jobs', 'expansions')")
    for name, seq in msgspec.structs.asdict(begun).items():
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, seq))
    connection.execute(BEGIN)
    connection.execute("PRAGMA application_id = 0")
    connection.execute("COMMIT")
    return True


def _mark_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.numbers")
