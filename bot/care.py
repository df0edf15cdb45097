"""`easel db`: looking after the database from outside the running bot."""

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.store.checking import check
from bot.store.database import Database, DatabaseUnusable
from bot.store.jobs import JobRepository


class CareFailed(Exception):
    """It was not done; the text is one sentence."""


async def back_up(path: Path, target: Path) -> None:
    """Copy the database at `path` as it is now, while Easel may run, and check the copy.

    Raises:
        CareFailed: no database, a target that exists or cannot be written, or a copy that breaks its promises.
    """
    _refuse_existing(target)
    partial = target.with_name(f".{target.name}.partial")
    try:
        database = await Database.open_to_read(path)
        try:
            await database.copy_to(partial)
        finally:
            await database.close()
        if not await examine_database(partial, say=_nothing):
            raise CareFailed("The copy breaks the ledger's promises; `easel db check` says which.")
        _publish(partial, target)
    except (OSError, sqlite3.Error, DatabaseUnusable) as error:
        raise CareFailed(f"The backup {target} was not written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


async def examine_database(path: Path, *, say: Callable[[str], None]) -> bool:
    """Say for each promise of the database whether it holds; True where all do.

    Raises:
        CareFailed: the database cannot be read.
    """
    try:
        database = await Database.open_to_read(path)
        try:
            findings = await check(database)
        finally:
            await database.close()
    except (sqlite3.Error, DatabaseUnusable) as error:
        raise CareFailed(str(error)) from error
    for finding in findings:
        if finding.broken:
            say(f"BAD  {finding.promise}: broken by {finding.broken} row(s), such as {', '.join(finding.examples)}")
        else:
            say(f"ok   {finding.promise}")
    return not any(finding.broken for finding in findings)


async def forget(path: Path, user_id: int) -> int:
    """Blank what a person wrote; returns how many open jobs were cancelled and given back.

    Raises:
        CareFailed: Easel runs, or the database cannot be written.
    """
    try:
        database = await Database.open(path)
        try:
            return len(await JobRepository(database).forget_user(user_id, datetime.now(UTC)))
        finally:
            await database.close()
    except (sqlite3.Error, DatabaseUnusable) as error:
        raise CareFailed(f"Nothing was deleted: {error}") from error


def _nothing(_: str) -> None:
    """The copy's own findings are summed up in one sentence."""


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise CareFailed(f"The file {target} exists; name one that does not, so that no backup is lost.")


def _publish(partial: Path, target: Path) -> None:
    """Give a finished file its name, so that it also outlives a power loss."""
    _sync(partial)
    partial.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
