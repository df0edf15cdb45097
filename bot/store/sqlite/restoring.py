"""Putting a copy in the place of the database, so that at no moment there is none."""

import contextlib
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from bot.store.sqlite.copying import publish
from bot.store.sqlite.migrating import COPIES
from bot.store.sqlite.timelines import USED, Numbers, numbers_in, read_mark, write_mark


def replace_by(copy: Path, path: Path) -> Path | None:
    """Move the database aside and put a copy in its place. Who calls keeps every Easel away.

    Returns:
        Where the present database lies from now on; None where there was none.

    Raises:
        OSError: the disk would not take it; the present database is where it was.
    """
    _remember_numbers(path)
    aside = _keep_aside(path) if path.exists() else None
    # A log that belongs to the other file would be read as this one's.
    for log in _logs_of(path):
        log.unlink(missing_ok=True)
    publish(copy, path)
    return aside


def _remember_numbers(path: Path) -> None:
    """Write down how far the present database went, and empty its log; a damaged one has its old mark."""
    if not path.exists():
        return
    with contextlib.suppress(sqlite3.Error):
        # First only to read: SQLite removes the log of a file that is damaged, and somebody may still want it.
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            used = numbers_in(connection.execute(USED).fetchall())
        write_mark(path, used.or_higher(read_mark(path) or Numbers()))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _keep_aside(path: Path) -> Path:
    folder = path.parent / COPIES
    folder.mkdir(exist_ok=True)
    aside = folder / f"replaced-{datetime.now(UTC):%Y-%m-%d-%H%M%S}.db"
    for part in (path, *_logs_of(path)):
        if part.exists():
            _link(part, aside.with_name(aside.name + part.name.removeprefix(path.name)))
    return aside


def _logs_of(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _link(part: Path, aside: Path) -> None:
    """A second name for a file, so that it never lacks its first one; a copy where the disk knows no links."""
    try:
        os.link(part, aside)
    except FileExistsError:
        raise
    except OSError:
        shutil.copy2(part, aside)
