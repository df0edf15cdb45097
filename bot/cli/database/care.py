"""`easel db`: maintenance of the database outside the running bot."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from bot.store.sqlite.backing_up import copy_database, findings_of
from bot.store.sqlite.copying import NotCopied, copy_checked, published
from bot.store.sqlite.database import Database, DatabaseUnusable, lock
from bot.store.sqlite.restoring import replace_by


class CareFailed(Exception):
    """The command failed; the text is one sentence."""


async def back_up(path: Path, target: Path) -> None:
    """Copy the database at `path` in its current state, and check the copy. Easel may run.

    Raises:
        CareFailed: there is no database, the target exists or cannot be written, or the copy breaks a promise.
    """
    refuse_existing(target)
    try:
        await copy_database(path, target)
    except (sqlite3.Error, DatabaseUnusable, NotCopied) as error:
        raise CareFailed(f"The backup {target} was not written: {error}") from error


async def restore(file: Path, path: Path) -> Path | None:
    """Replace the database at `path` by a copy; returns the path of the old database, None if there was none.

    The next start begins a new timeline: see `bot.store.sqlite.timelines`.

    Raises:
        CareFailed: Easel runs, or the file is no whole database of this or an earlier Easel. Nothing was changed.
    """
    _refuse_no_copy(file, path)
    copy = path.with_name(f".{path.name}.restored")
    try:
        with lock(path):
            database = await Database.open_to_read(file)
            try:
                with published(copy) as partial:
                    await database.read(copy_checked, partial)
                    if any(finding.broken for finding in await findings_of(partial)):
                        raise CareFailed(f"{file} breaks the ledger's promises; take an older copy.")
            finally:
                await database.close()
            return replace_by(copy, path)
    except (OSError, DatabaseUnusable, NotCopied) as error:
        raise CareFailed(f"Nothing was restored: {error}") from error
    finally:
        copy.unlink(missing_ok=True)


async def examine_database(path: Path, *, say: Callable[[str], None]) -> bool:
    """Print for each promise of the database whether it holds; True if all do.

    Raises:
        CareFailed: the database cannot be read.
    """
    try:
        findings = await findings_of(path)
    except (sqlite3.Error, DatabaseUnusable) as error:
        raise CareFailed(str(error)) from error
    for finding in findings:
        if finding.broken:
            say(f"BAD  {finding.promise}: broken by {finding.broken} row(s), such as {', '.join(finding.examples)}")
        else:
            say(f"ok   {finding.promise}")
    return not any(finding.broken for finding in findings)


def _refuse_no_copy(file: Path, path: Path) -> None:
    if not file.is_file():
        raise CareFailed(f"There is no file {file}; name a copy that `easel db backup` made.")
    if path.exists() and file.samefile(path):
        raise CareFailed(f"{file} is the database itself; name a copy of it.")


def refuse_existing(target: Path) -> None:
    """Refuse to write over a file.

    Raises:
        CareFailed: the file exists, or its folder does not.
    """
    if target.exists():
        raise CareFailed(f"The file {target} exists; name one that does not, so that nothing is lost.")
    if not target.parent.is_dir():
        raise CareFailed(f"There is no folder {target.parent}; make it, or name another one.")
