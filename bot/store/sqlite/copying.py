"""Copies of a database file: of one moment, checked, and there as a whole or not at all."""

import contextlib
import os
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

COPY_MARK: Final = 0x45615343
"""`application_id` of a copy: who opens one to write knows that it is an older state than what went on without it."""


class NotCopied(Exception):
    """There is no copy; the text says why, to follow a colon."""


@contextlib.contextmanager
def published(target: Path) -> Generator[Path]:
    """Under which name to write a file and to look at it; it gets its own when the block ends without an error.

    Raises:
        NotCopied: the disk would not take it.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        yield partial
        publish(partial, target)
    except (OSError, sqlite3.Error) as error:
        raise NotCopied(f"{target} cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


def copy_checked(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the database of a connection as it is now into one file without a log beside it.

    Raises:
        sqlite3.Error: the disk would not take it.
        NotCopied: the copy is damaged.
    """
    with contextlib.closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute(f"PRAGMA application_id={COPY_MARK}")
        copy.commit()
        (state,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if state != "ok":
        raise NotCopied(f"the database is damaged ({state}); restore a backup")


def publish(partial: Path, target: Path) -> None:
    """Give a finished file its name, so that it also outlives a power loss.

    Raises:
        OSError: the disk would not take it.
    """
    _sync(partial)
    partial.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
