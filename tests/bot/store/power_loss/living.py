"""Jobs that live at random on a disk, what the database held after each step, and what a power loss made of it."""

import contextlib
import random
import sqlite3
from collections.abc import AsyncGenerator, Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path

import msgspec
import pytest

from bot.store.sqlite import database, statements
from bot.store.sqlite.database import Database, DatabaseUnusable
from tests.bot.store.conftest import Store
from tests.bot.store.power_loss.disk import Acknowledged, Disk
from tests.bot.store.power_loss.steps import (
    IMAGES,
    Make,
    Step,
    accept,
    accept_together,
    claim,
    deliver,
    fail,
    record_message,
    store_outputs,
)

Contents = dict[str, list[tuple[object, ...]]]
"""Every row of every table."""

STEPS = 20

OPEN_JOBS = """
SELECT job_id, status, message_id IS NOT NULL AS is_seen, total_s IS NOT NULL AS is_drawn
FROM jobs WHERE status IN ('queued', 'running')
"""


class Outcome(StrEnum):
    """What a power loss left."""

    KEPT = "all that was acknowledged is there, and nothing half"
    LOST = "a sound database of an earlier time: something that was acknowledged is gone"
    BROKEN = "no state that the database ever had, or none that can be read"


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What the database held at first and after each acknowledged step."""

    states: list[Contents]

    def judge(self, found: Contents | None, acknowledged: int) -> Outcome:
        """The step under way at the power loss may have happened, as a whole, or not."""
        if found in self.states[acknowledged : acknowledged + 2]:
            return Outcome.KEPT
        return Outcome.LOST if found in self.states[:acknowledged] else Outcome.BROKEN


@contextlib.asynccontextmanager
async def opened_on(disk: Disk, path: Path) -> AsyncGenerator[Store]:
    """Our own `Database.open`, with the disk below it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "connect", disk.connect)
        opened = await Database.open(path)
    try:
        yield Store(opened)
    finally:
        await opened.close()


async def contents(database: Database) -> Contents:
    """Everything, to compare. A file that was lost before it was made has another timeline, which is drawn by lot."""
    tables = await database.fetch_all(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'timeline' ORDER BY name"
    )
    return {
        table: [tuple(row) for row in await database.fetch_all(f"SELECT * FROM {table}")]  # noqa: S608 - ours
        for (table,) in tables
    }


async def found_in(folder: Path) -> Contents | None:
    """What the next start finds, without the disk of ours; None where it cannot be used or breaks a promise."""
    try:
        database = await Database.open(folder / "easel.db")
    except DatabaseUnusable:
        return None
    try:
        return None if await Store(database).broken() else await contents(database)
    except sqlite3.DatabaseError:
        return None
    finally:
        await database.close()


async def live(disk: Disk, path: Path, chance: random.Random, make: Make, pragmas: Iterable[str]) -> History:
    """Open, take random steps, close."""
    async with opened_on(disk, path) as store:
        for pragma in pragmas:
            await store.database.read(statements.change, f"PRAGMA {pragma}")
        states = [await contents(store.database)]
        for _ in range(STEPS):
            await chance.choice(await _possible(store, chance, make))()
            disk.events.append(Acknowledged())
            states.append(await contents(store.database))
    return History(states=states)


async def _possible(store: Store, chance: random.Random, make: Make) -> list[Step]:
    """What may happen now: a new job, or three by one commit, or the next thing in the life of one that is open."""
    steps: list[Step] = [partial(asking, store, make, chance.getrandbits(60)) for asking in (accept, accept_together)]
    for job_id, status, is_seen, is_drawn in await store.database.fetch_all(OPEN_JOBS):
        if status == "queued":
            steps.append(partial(claim, store) if is_seen else partial(record_message, store, job_id))
        elif is_drawn:
            steps.append(partial(deliver, store, job_id, chance.randint(1, IMAGES)))
        else:
            steps.append(partial(store_outputs, store, job_id))
        if chance.random() < 0.1:
            steps.append(partial(fail, store, job_id))
    return steps
