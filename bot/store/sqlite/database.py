"""One SQLite file, one connection on a thread of its own, one process.

WAL with `synchronous=FULL`: with NORMAL a power loss took back commits that had been acknowledged, and SQLite
before 3.51.3 can corrupt a WAL file that two connections write, so a lock file keeps a second bot away.
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
"""What aiosqlite fetches for an `async for`, which nobody here uses."""


class DatabaseUnusable(Exception):
    """The file cannot be used; the text says which and what to do."""


class DatabaseTooNew(DatabaseUnusable):
    """The file was written by a later version of Easel."""


class Database:
    """The connection. Whatever touches it is a plain function that runs on its thread, one after the other."""

    def __init__(self, connection: "_Connection", lock_file: IO[str] | None) -> None:
        self._connection = connection
        self._lock_file = lock_file
        self._groups = Groups(connection.of_sqlite, connection.call)
        self._is_open = True

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file and bring it up to date.

        Raises:
            DatabaseUnusable: another process has it, it is no database, or the disk says no.
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
        """Look into a file of this or an earlier version, which a running Easel may have open, as it is at this moment.

        A reader never writes the file or empties its log, so it is outside the fault that keeps a second writer away.

        Raises:
            DatabaseUnusable: there is none, or it is no database of Easel's.
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
        """The same content as this version of Easel has it, in a file that is nobody's and goes with the connection.

        Raises:
            sqlite3.Error: it cannot be brought up to date.
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
        """Finish what is under way, close the file, and let another process have it."""
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
        """Do something all or nothing, durable when this returns; `bot.store.sqlite.groups` says with whom and how.

        The function runs on the database's thread, so it touches nothing but the connection and its own arguments.

        Raises:
            sqlite3.Error: the disk would not take it; nothing was written.
            Exception: whatever it raised; nothing was written.
        """

        def bound(connection: sqlite3.Connection) -> T:
            return work(connection, *args, **kwargs)

        return await self._groups.write(bound)

    async def read(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Look at one moment: no write happens between the statements of a function, and none is seen half."""
        return await self._connection.call(work, self._connection.of_sqlite, *args, **kwargs)

    async def change(self, sql: str, values: Values = ()) -> int:
        """Write by one statement; how many rows it changed."""
        return await self.write(statements.change, sql, values)

    async def fetch_one(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        return await self.read(statements.fetch_one, sql, values)

    async def fetch_all(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """Every row of a query."""
        return await self.read(statements.fetch_all, sql, values)

    async def version(self) -> int:
        """The number of the last migration that was applied."""
        return await self.read(version_of)

    async def used_numbers(self) -> Numbers:
        """The highest numbers of jobs and expansions that are durable."""
        return await self.read(used_numbers)


def connect(address: str) -> sqlite3.Connection:
    """A connection that begins no transaction by itself, for the thread that calls this."""
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection, whose thread takes whole functions: a hop for each statement costs more than the disk."""

    @property
    def of_sqlite(self) -> sqlite3.Connection:
        """The connection itself, for functions that run on its thread."""
        return self._conn

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function returns on the connection's thread, after everything that was called before."""
        return await self._execute(function, *args, **kwargs)


async def _connected(address: str) -> _Connection:
    connection = _Connection(lambda: connect(address), _ROWS_AT_ONCE)
    await connection
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Let commits be durable, and bring the tables up to date."""
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
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
    """The address under which SQLite only reads a file."""
    if not path.exists():
        raise DatabaseUnusable(f"There is no database {path}; it is made when the bot starts for the first time.")
    return f"{path.resolve().as_uri()}?mode=ro"


def is_in_use(path: Path) -> bool:
    """Whether an Easel runs on this database."""
    try:
        with _lock_file(path).open(encoding="utf-8") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # it is not there, or nobody's that may be looked at
    return False


def _too_new(path: Path, there: int) -> DatabaseTooNew:
    return DatabaseTooNew(
        f"The database {path} was written by a newer Easel (version {there} of its tables, this one knows "
        f"{newest_version()}); install that Easel again, or restore a backup."
    )


def _lock_file(path: Path) -> Path:
    return path.with_suffix(path.suffix + ".lock")


def lock(path: Path) -> IO[str]:
    """Keep other processes away from a database, there or not yet, for as long as the returned file is open.

    Raises:
        DatabaseUnusable: another process has it, or the folder cannot be written.
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
