"""Timelines: ids are never used twice, even after a restore.

Ids of jobs and expansions stay in buttons and file names for ever. Every few seconds the highest ids are written to
the mark, a file beside the database. A database is an older state if its ids are lower than the mark's, or if it is a
copy. An older state begins a new timeline, whose ids are higher than all that were ever used.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from bot.store.sqlite.copying import COPY_MARK, publish
from bot.store.sqlite.statements import fetch_all, fetch_one

UNSEEN: Final = 10_000
"""Ids that may have been used after the last write of the mark, in the last seconds of a run."""
_UNKNOWN: Final = 1_000_000
"""Ids that may have been used if there is no mark."""

USED: Final = "SELECT name, seq FROM sqlite_sequence"
BEGIN: Final = "UPDATE timeline SET number = abs(random() % 0x7FFEFFFF) + 0x10000"


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The highest used ids; each is a row of `sqlite_sequence`."""

    jobs: int = 0
    expansions: int = 0

    def or_higher(self, other: "Numbers") -> "Numbers":
        """The higher id of each kind."""
        return Numbers(jobs=max(self.jobs, other.jobs), expansions=max(self.expansions, other.expansions))

    def after(self, count: int) -> "Numbers":
        """The ids that lie `count` further."""
        return Numbers(jobs=self.jobs + count, expansions=self.expansions + count)


def used_numbers(connection: sqlite3.Connection) -> Numbers:
    """The highest used ids in a database of any version.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    return numbers_in(fetch_all(connection, USED))


def numbers_in(rows: Iterable[tuple[str, int | None] | sqlite3.Row]) -> Numbers:
    """The highest used ids in the rows of `USED`.

    Raises:
        sqlite3.DatabaseError: a number is missing, as after a loss of power on a disk that wrote out of order.
    """
    used: dict[str, int] = {}
    for name, seq in rows:
        if not isinstance(seq, int):
            raise sqlite3.DatabaseError(f"sqlite_sequence holds no number for {name}")
        used[str(name)] = seq
    return Numbers(jobs=used.get("jobs", 0), expansions=used.get("expansions", 0))


def read_mark(database: Path) -> Numbers | None:
    """The ids in a database's mark; None if the mark is missing or was torn by a power loss."""
    try:
        return msgspec.json.decode(_mark_of(database).read_bytes(), type=Numbers)
    except (OSError, msgspec.DecodeError):
        return None


def write_mark(database: Path, numbers: Numbers) -> None:
    """Write these ids to the database's mark.

    Raises:
        OSError: the disk refused.
    """
    mark = _mark_of(database)
    partial = mark.with_name(f".{mark.name}.partial")
    partial.write_bytes(msgspec.json.encode(numbers))
    publish(partial, mark)


def go_on(connection: sqlite3.Connection, database: Path) -> bool:
    """Continue the timeline of a migrated file, or begin a new one if the file is an older state.

    Returns:
        Whether a new timeline began.
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
