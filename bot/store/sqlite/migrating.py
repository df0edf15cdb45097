"""Migration of a database file: a checked copy first, then all missing migrations in one transaction."""

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
"""Folder beside the database for copies that Easel makes by itself."""
_KEPT_COPIES: Final = 3
MIGRATIONS: Final[Traversable] = files("bot.store.sqlite") / "migrations"
"""Folder of numbered migrations. A released file is never changed: a later file adds to it."""


def migrations() -> dict[int, str]:
    """The SQL of each migration by its number."""
    return {
        int(file.name[:4]): file.read_text(encoding="utf-8")
        for file in MIGRATIONS.iterdir()
        if file.name.endswith(".sql")
    }


def newest_version() -> int:
    """The number of the last migration of this Easel."""
    return max(migrations())


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the last applied migration; 0 for a file without Easel's tables."""
    row = fetch_one(connection, "PRAGMA user_version")
    return 0 if row is None else int(row[0])


def migrate(connection: sqlite3.Connection, there: int) -> None:
    """Apply all migrations after version `there`.

    Raises:
        sqlite3.Error: a migration failed; once the connection is closed, the file is unchanged.
    """
    steps = migrations()
    missing = [steps[number] for number in range(there + 1, max(steps) + 1)]
    script = "\n".join(["BEGIN IMMEDIATE;", *missing, f"PRAGMA user_version = {max(steps)};", "COMMIT;"])
    connection.executescript(script)


@contextlib.contextmanager
def copy_kept(connection: sqlite3.Connection, path: Path) -> Generator[None]:
    """Keep the copy `backups/before-N-<day>.db` of the file before the block runs. The last three copies stay.

    Raises:
        NotCopied: there is no copy, so the block did not run.
    """
    folder = path.parent / COPIES
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise NotCopied(f"the folder {folder} cannot be made ({error.strerror})") from error
    # The name has the day, so that repeated failing starts write only one copy a day.
    with published(folder / f"before-{newest_version()}-{datetime.now(UTC):%Y-%m-%d}.db") as partial:
        copy_checked(connection, partial)
    yield
    for old in sorted(folder.glob("before-*.db"), key=lambda kept: kept.stat().st_mtime)[:-_KEPT_COPIES]:
        old.unlink(missing_ok=True)
