"""An apsw connection that looks like one of `sqlite3`, as far as the store looks.

Only apsw can put a file system of ours below SQLite.
"""

import contextlib
import sqlite3
from collections.abc import Generator, Iterable, Sequence

import apsw

from bot.store.sqlite.statements import Values


class LikeCursor:
    """The rows of one statement, all read at once, so that no statement stays open."""

    def __init__(self, rows: Sequence[sqlite3.Row], rowcount: int) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount

    def fetchone(self) -> sqlite3.Row | None:
        return next(self._rows, None)

    def fetchall(self) -> list[sqlite3.Row]:
        return list(self._rows)

    def close(self) -> None:
        """There is nothing left to close."""


class LikeConnection:
    """What the database's thread talks to."""

    def __init__(self, path: str, vfs: str, checkpoint_pages: int) -> None:
        self._apsw = apsw.Connection(path, vfs=vfs)
        # apsw's file systems have no shared memory; with one process alone, WAL needs none.
        self._apsw.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._checkpoint_pages = checkpoint_pages
        self._apsw.set_wal_hook(self._checkpoint)
        self._names = sqlite3.connect(":memory:", check_same_thread=False)

    def execute(self, sql: str, values: Values = ()) -> LikeCursor:
        rows: list[sqlite3.Row] = []
        with _errors_of_sqlite3():
            cursor = self._apsw.execute(sql, values)
            names: sqlite3.Cursor | None = None
            for row in cursor:
                names = names or self._named([name for name, _ in cursor.get_description()])
                rows.append(sqlite3.Row(names, row))
            return LikeCursor(rows, self._apsw.changes())

    def executemany(self, sql: str, values: Iterable[Values]) -> LikeCursor:
        with _errors_of_sqlite3():
            self._apsw.executemany(sql, values)
            return LikeCursor([], self._apsw.changes())

    def executescript(self, sql: str) -> LikeCursor:
        return self.execute(sql)

    def close(self) -> None:
        # The last checkpoint is one that may fail: SQLite closes all the same, and `sqlite3` says nothing of it.
        with contextlib.suppress(apsw.IOError, apsw.FullError):
            self._apsw.close()
        self._names.close()

    def _named(self, names: Sequence[str]) -> sqlite3.Cursor:
        """Rows are real ones of `sqlite3`, which take their names from a real cursor."""
        return self._names.execute("SELECT " + ", ".join(f'NULL AS "{name}"' for name in names))

    def _checkpoint(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        """As SQLite does by itself: try again after the next commit if the disk says no.

        Its own way does not do here: apsw would raise the disk's error out of a COMMIT that SQLite calls done.
        """
        if pages >= self._checkpoint_pages:
            with contextlib.suppress(apsw.IOError, apsw.FullError):
                self._apsw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return apsw.SQLITE_OK


@contextlib.contextmanager
def _errors_of_sqlite3() -> Generator[None]:
    """Raise what `sqlite3` raises for the same failure."""
    try:
        yield
    except apsw.FullError as error:
        raise sqlite3.OperationalError("database or disk is full") from error
    except apsw.IOError as error:
        raise sqlite3.OperationalError("disk I/O error") from error
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise sqlite3.DatabaseError(str(error)) from error
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error
