"""Checked copies of the database: on request, and by themselves at intervals."""

import asyncio
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from bot.store.sqlite.checking import Finding, check
from bot.store.sqlite.copying import NotCopied, copy_checked, published
from bot.store.sqlite.database import Database, DatabaseUnusable
from bot.store.sqlite.migrating import newest_version
from bot.troubles import Cause, Trouble

_NAME: Final = re.compile(r"easel-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.db")
_STAMP: Final = "easel-%Y-%m-%dT%H-%M-%S.db"
_LOOK_S: Final = 60.0
_RETRY_S: Final = 600.0

_log = structlog.get_logger(__name__)


async def copy_database(path: Path, target: Path) -> None:
    """Copy the database at `path` in its current state, and check the copy. Easel may run.

    Raises:
        NotCopied: the copy cannot be written, or breaks a promise of the ledger.
        DatabaseUnusable: there is no database, or it cannot be read.
    """
    database = await Database.open_to_read(path)
    try:
        with published(target) as copy:
            await database.read(copy_checked, copy)
            if any(finding.broken for finding in await findings_of(copy)):
                raise NotCopied("The copy breaks the ledger's promises; `easel db check` says which.")
    finally:
        await database.close()


async def findings_of(path: Path) -> list[Finding]:
    """The findings of all checks of a database. An older file is checked in a migrated copy of it.

    Raises:
        DatabaseUnusable: it cannot be opened.
        sqlite3.Error: it cannot be read.
    """
    database = await Database.open_to_read(path)
    try:
        if await database.version() == newest_version():
            return await check(database)
        newer = await database.brought_up()
        try:
            return await check(newer)
        finally:
            await newer.close()
    finally:
        await database.close()


class Backups:
    """Makes a backup at intervals, and deletes the oldest.

    Args:
        path: the database.
        folder: where the backups lie. Other files in it are left alone.
        every_h: hours between two backups; 0 makes none.
        keep: number of backups that stay.
    """

    def __init__(self, *, path: Path, folder: Path, every_h: float, keep: int) -> None:
        self._path = path
        self._folder = folder
        self._every_s = every_h * 3_600
        self._keep = keep
        self.trouble: Trouble | None = None
        """Why the last backup failed; None if it succeeded."""

    async def run(self) -> None:
        """Work until cancelled; a backup that is being made is finished. A start has a minute without this work.

        A failed backup is tried again after ten minutes.
        """
        while True:
            await asyncio.sleep(_LOOK_S if self.trouble is None else _RETRY_S)
            if self._every_s <= 0 or self._age_s() < self._every_s:
                continue
            making = asyncio.create_task(self.back_up(datetime.now(UTC)), name="backup")
            try:
                await asyncio.shield(making)
            except asyncio.CancelledError:
                await making
                raise

    async def back_up(self, now: datetime) -> None:
        """Make a backup now, and delete the oldest ones beyond the number to keep."""
        target = self._folder / now.strftime(_STAMP)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            await copy_database(self._path, target)
            for old in self._present()[: -self._keep]:
                old.unlink(missing_ok=True)
        except (OSError, sqlite3.Error, NotCopied, DatabaseUnusable) as error:
            self._note(error)
            return
        _log.info("backup made", action="backup", file=str(target), bytes=target.stat().st_size)
        self.trouble = None

    def _note(self, error: Exception) -> None:
        since = datetime.now(UTC) if self.trouble is None else self.trouble.since
        sentence = (
            f"The backup in {self._folder} failed: {str(error).removesuffix('.')}. It is tried again every ten minutes."
        )
        if self.trouble is None:
            _log.error(sentence, action="backup_failed")
        self.trouble = Trouble(cause=Cause.BACKUP, sentence=sentence, since=since)

    def _present(self) -> list[Path]:
        """The backups that are there, the oldest first."""
        return sorted(path for path in self._folder.glob("easel-*.db") if _NAME.fullmatch(path.name))

    def _age_s(self) -> float:
        """Seconds since the last backup; infinite if there is none.

        A clock that was set back makes some backups lie in the future, so the distance counts.
        """
        now_s = datetime.now(UTC).timestamp()
        return min((abs(now_s - path.stat().st_mtime) for path in self._present()), default=float("inf"))
