"""Bringing a file up to date: all missing migrations in one transaction, and before it a checked copy."""

import contextlib
import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from bot.store.sqlite.copying import NotCopied, copy_checked, published
from bot.store.sqlite.statements import fetch_one

COPIES: Final = "backups"
"""The folder beside the database in which copies are kept that nobody asked for."""
_KEPT_COPIES: Final = 3
MIGRATIONS: Final[Traversable] = files("bot.store.sqlite") / "migrations"
"""The folder of numbered files. Those that were released are never changed: a later one adds to them."""


def migrations() -> dict[int, str]:
    """Every migration's SQL by its number."""
    return {
        int(file.name[:4]): file.read_text(encoding="utf-8")
        for file in MIGRATIONS.iterdir()
        if file.name.endswith(".sql")
    }


def newest_version() -> int:
    """The number of the last migration that this Easel knows."""
    return max(migrations())


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the last migration that was applied; 0 of a file without tables of ours."""
    row = fetch_one(connection, "PRAGMA user_version")
    return 0 if row is None else int(row[0])


def migrate(connection: sqlite3.Connection, there: int) -> None:
    """Apply every migration after the version that is there.

    Raises:
        sqlite3.Error: one failed; the file is as it was once the connection is closed.
    """
    steps = migrations()
    missing = [steps[number] for number in range(there + 1, max(steps) + 1)]
    script = "\n".join(["BEGIN IMMEDIATE;", *missing, f"PRAGMA user_version = {max(steps)};", "COMMIT;"])
    connection.executescript(script)


@contextlib.contextmanager
def copy_kept(connection: sqlite3.Connection, path: Path) -> Generator[None]:
    """Keep `backups/before-N-<day>.db` of the file as it is before what is done inside; the last three stay.

    Raises:
        NotCopied: there is no copy, so nothing was done.
    """
    folder = path.parent / COPIES
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise NotCopied(f"the folder {folder} cannot be made ({error.strerror})") from error
    # A start that fails again and again writes one copy a day.
    with published(folder / f"before-{newest_version()}-{datetime.now(UTC):%Y-%m-%d}.db") as partial:
        copy_checked(connection, partial)
    yield
    for old in sorted(folder.glob("before-*.db"), key=lambda kept: kept.stat().st_mtime)[:-_KEPT_COPIES]:
        old.unlink(missing_ok=True)
