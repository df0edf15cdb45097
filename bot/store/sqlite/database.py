"""One SQLite file for one process: one connection on a thread of its own.

The file uses WAL with `synchronous=FULL`, since with NORMAL a power loss undid acknowledged commits. SQLite before
3.51.3 can corrupt a WAL file with two writing connections, so a lock file keeps a second bot away.
"""

import fcntl
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import IO, Concatenate, Final, ParamSpec, Self, TypeVar

import aiosqlite

from bot.store.sqlite import statements
from bot.store.sqlite.copying import NotCopied
from bot.store.sqlite.groups import Groups
from bot.store.sqlite.migrating import copy_kept, migrate, newest_version, version_of
from bot.store.sqlite.statements import Values
from bot.store.sqlite.timelines import Numbers, go_on, used_numbers

P = ParamSpec("P")
T = TypeVar("T")

_ROWS_AT_ONCE: Final = 64
"""Rows that aiosqlite fetches at once for an `async for`. Easel has none."""


class DatabaseUnusable(Exception):
    """The file cannot be used; the text names it and gives the remedy."""


class DatabaseTooNew(DatabaseUnusable):
    """A later version of Easel wrote the file."""


class Database:
    """The connection. Each use is a plain function on the connection's thread, one after the other."""

    def __init__(self, connection: "_Connection", lock_file: IO[str] | None) -> None:
        self._connection = connection
        self._lock_file = lock_file
        self._groups = Groups(connection.of_sqlite, connection.call)
        self._is_open = True

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file and migrate it.

        Raises:
            DatabaseUnusable: another process uses it, it is no database, or the disk refused.
            DatabaseTooNew: this version of Easel does not know its tables.
        """
        lock_file = lock(path)
        try:
            database = cls(await _connected(str(path)), lock_file)
        except sqlite3.Error as error:
            lock_file.close()
            raise DatabaseUnusable(f"The database {path} cannot be opened: {error}.") from error
        try:
            await database.read(_set_up, path)
        except sqlite3.Error as error:
            await database.close()
            raise DatabaseUnusable(f"The database {path} cannot be used: {error}.") from error
        except DatabaseUnusable:
            await database.close()
            raise
        return database

    @classmethod
    async def open_to_read(cls, path: Path) -> Self:
        """Open a file of this or an earlier version to read its present state. A running Easel may have it open.

        A reader never writes the file or empties its log, so the fault of two writers cannot happen.

        Raises:
            DatabaseUnusable: there is no file, or it is no database of Easel.
            DatabaseTooNew: this version of Easel does not know its tables.
        """
        try:
            database = cls(await _connected(_existing(path)), None)
        except sqlite3.Error as error:
            raise DatabaseUnusable(f"The database {path} cannot be opened: {error}.") from error
        try:
            await database.read(statements.change, "BEGIN")
            there = await database.version()
        except sqlite3.Error as error:
            await database.close()
            raise DatabaseUnusable(f"The database {path} cannot be read: {error}.") from error
        if not 0 < there <= newest_version():
            await database.close()
            raise _too_new(path, there) if there else DatabaseUnusable(f"The file {path} is no database of Easel's.")
        return database

    async def brought_up(self) -> Self:
        """A migrated copy of the content, in a temporary file that ends with the connection.

        Raises:
            sqlite3.Error: the migration failed.
        """
        connection = await _connected("")
        newer = type(self)(connection, None)
        try:
            await self._connection.backup(connection)
            await newer.read(_bring_up)
        except sqlite3.Error:
            await newer.close()
            raise
        return newer

    async def close(self) -> None:
        """Finish the work under way, close the file, and release its lock."""
        if not self._is_open:
            return
        await self._groups.rest()
        self._is_open = False
        try:
            await self._connection.close()
        finally:
            if self._lock_file is not None:
                self._lock_file.close()

    async def write(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function as one transaction, durable on return. `bot.store.sqlite.groups` explains the grouping.

        The function runs on the database's thread, so it must use only the connection and its own arguments.

        Raises:
            sqlite3.Error: the commit failed; nothing was written.
            Exception: the function raised it; nothing was written.
        """

        def bound(connection: sqlite3.Connection) -> T:
            return work(connection, *args, **kwargs)

        return await self._groups.write(bound)

    async def read(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that reads one moment: no write happens between its statements, and it sees no half write."""
        return await self._connection.call(work, self._connection.of_sqlite, *args, **kwargs)

    async def change(self, sql: str, values: Values = ()) -> int:
        """Run one writing statement; returns the number of changed rows."""
        return await self.write(statements.change, sql, values)

    async def fetch_one(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """The first row of a query; None if there is none."""
        return await self.read(statements.fetch_one, sql, values)

    async def fetch_all(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return await self.read(statements.fetch_all, sql, values)

    async def version(self) -> int:
        """The number of the last applied migration."""
        return await self.read(version_of)

    async def used_numbers(self) -> Numbers:
        """The highest committed ids of jobs and expansions."""
        return await self.read(used_numbers)


def connect(address: str) -> sqlite3.Connection:
    """A connection for the calling thread. It begins no transaction by itself."""
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection, with whole functions on its thread: a switch for each statement costs too much time."""

    @property
    def of_sqlite(self) -> sqlite3.Connection:
        """The sqlite3 connection, for functions on its thread."""
        return self._conn

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function on the connection's thread, after all earlier calls; returns its result."""
        return await self._execute(function, *args, **kwargs)


async def _connected(address: str) -> _Connection:
    connection = _Connection(lambda: connect(address), _ROWS_AT_ONCE)
    await connection
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make commits durable and erasures final, and migrate the tables.

    Raises:
        DatabaseTooNew: a later Easel wrote the file.
        DatabaseUnusable: no copy could be kept before a migration, so nothing was changed.
    """
    durable = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
    # Not every build of SQLite overwrites erased text by itself.
    for pragma in (*durable, "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    there = version_of(connection)
    if there > newest_version():
        raise _too_new(path, there)
    if there == 0:
        migrate(connection, there)
    elif there < newest_version():
        try:
            with copy_kept(connection, path):
                migrate(connection, there)
        except NotCopied as error:
            raise DatabaseUnusable(
                f"The database {path} was not brought from version {there} to {newest_version()}, since no copy "
                f"of it could be kept: {error}."
            ) from error
    go_on(connection, path)


def _bring_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    migrate(connection, version_of(connection))


def _existing(path: Path) -> str:
    """An address that SQLite opens read-only."""
    if not path.exists():
        raise DatabaseUnusable(f"There is no database {path}; it is made when the bot starts for the first time.")
    return f"{path.resolve().as_uri()}?mode=ro"


def is_in_use(path: Path) -> bool:
    """Whether an Easel has locked this database."""
    try:
        with _lock_file(path).open(encoding="utf-8") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # the lock file is missing or unreadable, so no Easel of this user has it
    return False


def _too_new(path: Path, there: int) -> DatabaseTooNew:
    return DatabaseTooNew(
        f"The database {path} was written by a newer Easel (version {there} of its tables, this one knows "
        f"{newest_version()}); install that Easel again, or restore a backup."
    )


def _lock_file(path: Path) -> Path:
    return path.with_suffix(path.suffix + ".lock")


def lock(path: Path) -> IO[str]:
    """Lock a database for this process until the returned file is closed. The database need not exist.

    Raises:
        DatabaseUnusable: another process has the lock, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock_file = _lock_file(path).open("w", encoding="utf-8")
    except FileExistsError as error:
        raise DatabaseUnusable(f"{path.parent} (storage.directory) is a file; name a folder.") from error
    except OSError as error:
        raise DatabaseUnusable(
            f"The folder {path.parent} (storage.directory) cannot be written: {error.strerror}."
        ) from error
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock_file.close()
        raise DatabaseUnusable(
            f"The database {path} is in use by another Easel; stop that one, or set another storage.directory."
        ) from error
    return lock_file
