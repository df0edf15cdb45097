"""Replacement of the database by a copy, so that a database exists at every moment."""

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
    """Move the database aside and put a copy in its place. The caller holds the lock.

    Returns:
        The new path of the old database; None if there was none.

    Raises:
        OSError: the disk refused; the old database is still in place.
    """
    _remember_numbers(path)
    aside = _keep_aside(path) if path.exists() else None
    # SQLite would apply the old database's log to the copy.
    for log in _logs_of(path):
        log.unlink(missing_ok=True)
    publish(copy, path)
    return aside


def _remember_numbers(path: Path) -> None:
    """Write the old database's highest ids to its mark, and empty its log. For a damaged one, the old mark stays."""
    if not path.exists():
        return
    with contextlib.suppress(sqlite3.Error):
        # The first connection is read-only: SQLite removes a damaged file's log, which somebody may still need.
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
    """Give a file a second name by a link, so that the first name stays valid; copy it if the disk has no links."""
    try:
        os.link(part, aside)
    except FileExistsError:
        raise
    except OSError:
        shutil.copy2(part, aside)
