"""One SQLite file, one connection, one process.

WAL with `synchronous=FULL`: with NORMAL a power loss took back commits that had been acknowledged, and SQLite
before 3.51.3 can corrupt a WAL file that two connections write, so a lock file keeps a second bot away.
"""

import asyncio
import contextlib
import fcntl
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import aiosqlite

from bot.store.copying import NotCopied
from bot.store.migrating import copy_kept, migrate, newest_version, version_of
from bot.store.timelines import Numbers, go_on, used_numbers

Value = str | int | float | bytes | None


class DatabaseUnusable(Exception):
    """The file cannot be used; the text says which and what to do."""


class DatabaseTooNew(DatabaseUnusable):
    """The file was written by a later version of Easel."""


class Database:
    """The connection. Reads may interleave; a write happens in `transaction` and nowhere else."""

    def __init__(self, connection: aiosqlite.Connection, lock_file: IO[str] | None) -> None:
        self._connection = connection
        self._lock_file = lock_file
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file and bring it up to date.

        Raises:
            DatabaseUnusable: another process has it, it is no database, or the disk says no.
            DatabaseTooNew: this version of Easel does not know its tables.
        """
        lock_file = lock(path)
        try:
            connection = await aiosqlite.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            lock_file.close()
            raise DatabaseUnusable(f"The database {path} cannot be opened: {error}.") from error
        database = cls(connection, lock_file)
        try:
            await database._set_up(path)
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
            connection = await aiosqlite.connect(_existing(path), uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise DatabaseUnusable(f"The database {path} cannot be opened: {error}.") from error
        database = cls(connection, None)
        connection.row_factory = sqlite3.Row
        try:
            await connection.execute("BEGIN")
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
        connection = await aiosqlite.connect("", isolation_level=None)
        database = type(self)(connection, None)
        connection.row_factory = sqlite3.Row
        try:
            await connection.execute("PRAGMA foreign_keys=ON")
            await self.connection.backup(connection)
            await migrate(connection, await database.version())
        except sqlite3.Error:
            await database.close()
            raise
        return database

    @property
    def connection(self) -> aiosqlite.Connection:
        """To copy from; who writes asks for a `transaction`."""
        return self._connection

    async def close(self) -> None:
        """Close the file and let another process have it."""
        await self._connection.close()
        if self._lock_file is not None:
            self._lock_file.close()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncGenerator[aiosqlite.Connection]:
        """All or nothing. Only one at a time: they would share the connection's one transaction."""
        async with self._writing:
            try:
                await self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                await self._connection.execute("COMMIT")
            except BaseException:
                # A task cancelled while BEGIN or COMMIT was under way finds no transaction here.
                with contextlib.suppress(sqlite3.OperationalError):
                    await self._connection.execute("ROLLBACK")
                raise

    async def fetch_one(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        async with self._connection.execute(sql, values) as cursor:
            return await cursor.fetchone()

    async def fetch_all(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> list[sqlite3.Row]:
        """Every row of a query."""
        async with self._connection.execute(sql, values) as cursor:
            return list(await cursor.fetchall())

    async def version(self) -> int:
        """The number of the last migration that was applied."""
        return await version_of(self._connection)

    async def _set_up(self, path: Path) -> None:
        self._connection.row_factory = sqlite3.Row
        for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            await self._connection.execute(f"PRAGMA {pragma}")
        there = await self.version()
        if there > newest_version():
            raise _too_new(path, there)
        if there == 0:
            await migrate(self._connection, there)
        elif there < newest_version():
            try:
                async with copy_kept(self._connection, path):
                    await migrate(self._connection, there)
            except NotCopied as error:
                raise DatabaseUnusable(
                    f"The database {path} was not brought from version {there} to {newest_version()}, since no copy "
                    f"of it could be kept: {error}."
                ) from error
        await go_on(self._connection, path)

    async def used_numbers(self) -> Numbers:
        """The highest numbers of jobs and expansions that are durable."""
        async with self.transaction() as connection:
            return await used_numbers(connection)


def reader(connection: aiosqlite.Connection) -> Callable[..., Awaitable[list[sqlite3.Row]]]:
    """Reads inside a transaction, like `Database.fetch_all` outside."""

    async def fetch_all(sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> list[sqlite3.Row]:
        async with connection.execute(sql, values) as cursor:
            return list(await cursor.fetchall())

    return fetch_all


def sure(row: sqlite3.Row | None) -> sqlite3.Row:
    """A row that a statement with RETURNING or an aggregate always gives."""
    if row is None:
        raise LookupError("The database gave no row where there is always one.")
    return row


def _existing(path: Path) -> str:
    """The address under which SQLite only reads a file.

    That there is one is asked here: aiosqlite's thread may outlive the event loop after a connection that fails.
    """
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
