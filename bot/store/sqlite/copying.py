"""Copies of a database file. A copy shows one moment, is checked, and exists as a whole or not at all."""

import contextlib
import os
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

COPY_MARK: Final = 0x45615343
"""`application_id` of a copy. A writer that opens a copy then knows that the original may have newer data."""


class NotCopied(Exception):
    """The copy failed; the text gives the reason and follows a colon."""


@contextlib.contextmanager
def published(target: Path) -> Generator[Path]:
    """Yield a temporary path for a new file. If the block ends without an error, the file gets its name.

    Raises:
        NotCopied: the file cannot be written.
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
    """Copy the present state of a connection's database into one file without a log file.

    Raises:
        sqlite3.Error: the copy cannot be written.
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
    """Give a finished file its name durably, so that it survives a power loss.

    Raises:
        OSError: the disk refused.
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
