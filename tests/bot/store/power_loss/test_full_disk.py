"""The disk is full or fails at any call: nothing is acknowledged that is not there, and the next step works again."""

import itertools
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import apsw
import msgspec
import pytest

from bot.store.sqlite.database import Database, DatabaseUnusable
from bot.store.sqlite.migrating import migrations
from tests.bot.store.conftest import Store
from tests.bot.store.power_loss.disk import Disk, Fault, Sync, Write, files_of, put
from tests.bot.store.power_loss.living import Contents, contents, found_in, opened_on
from tests.bot.store.power_loss.steps import Make, Step, accept, claim, deliver, record_message, store_outputs

CHECKPOINT_PAGES: Final = 30
"""Some steps of a life end with a checkpoint, and others do not."""

MakeFault = Callable[[int], Fault]

FAULTS: Final[dict[str, MakeFault]] = {
    "full": lambda at: Fault(kind=Write, at=at, error=apsw.FullError, lasts=True),
    "one write fails": lambda at: Fault(kind=Write, at=at, error=apsw.IOError, lasts=False),
    "one sync fails": lambda at: Fault(kind=Sync, at=at, error=apsw.IOError, lasts=False),
    "all syncs fail": lambda at: Fault(kind=Sync, at=at, error=apsw.IOError, lasts=True),
}


def life_of(store: Store, make: Make) -> list[Step]:
    """The first job, from accepted to delivered."""
    return [
        partial(accept, store, make, 7),
        partial(record_message, store, 1),
        partial(claim, store),
        partial(store_outputs, store, 1),
        partial(deliver, store, 1, 3),
    ]


class Undisturbed(msgspec.Struct, frozen=True, kw_only=True):
    """A life on a good disk: the files at first, and what the database held then and after each step."""

    files: dict[str, bytes]
    states: list[Contents]


@pytest.fixture
async def undisturbed(tmp_path: Path, new_job: Make) -> Undisturbed:
    path = tmp_path / "easel.db"
    await (await Database.open(path)).close()
    files = files_of(tmp_path)
    async with opened_on(Disk(tmp_path, checkpoint_pages=CHECKPOINT_PAGES), path) as store:
        states = [await contents(store.database)]
        for step in life_of(store, new_job):
            await step()
            states.append(await contents(store.database))
    return Undisturbed(files=files, states=states)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_step_is_done_or_raises_and_left_nothing(
    fault: MakeFault, tmp_path: Path, new_job: Make, undisturbed: Undisturbed
) -> None:
    refused: set[int] = set()
    for at in itertools.count(1):
        put(undisturbed.files, tmp_path / "disk")
        disk = Disk(tmp_path / "disk", checkpoint_pages=CHECKPOINT_PAGES)
        async with opened_on(disk, tmp_path / "disk" / "easel.db") as store:
            disk.fault = armed = fault(at)
            for number, step in enumerate(life_of(store, new_job)):
                if not await is_done(step, disk):
                    refused.add(number)
                    await assert_undone(step, store, disk, undisturbed.states[number : number + 2])
            assert await contents(store.database) == undisturbed.states[-1]
        assert await found_in(disk.folder) == undisturbed.states[-1]
        if not armed.has_struck:
            break
    assert refused == {0, 1, 2, 3, 4}


async def is_done(step: Step, disk: Disk) -> bool:
    """Take a step on a disk that may fail under it."""
    try:
        await step()
    except sqlite3.OperationalError:
        assert disk.fault is not None
        assert disk.fault.has_struck
        return False
    return True


async def assert_undone(step: Step, store: Store, disk: Disk, states: list[Contents]) -> None:
    """A step that raised has left nothing, and can be taken once the disk is well.

    Had the bot died there, the next start would find the step as a whole or not at all: a COMMIT whose sync failed
    has written all of itself, though whoever asked was told that it failed.
    """
    before, after = states
    assert await contents(store.database) == before
    killed = disk.folder.with_name("killed")
    put(files_of(disk.folder), killed)
    assert await found_in(killed) in states
    disk.fault = None
    await step()
    assert await contents(store.database) == after


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_start_is_refused_in_a_sentence_and_the_next_one_works(fault: MakeFault, tmp_path: Path) -> None:
    path = tmp_path / "disk" / "easel.db"
    sentences: set[str] = set()
    for at in itertools.count(1):
        put({}, path.parent)
        disk = Disk(path.parent, checkpoint_pages=CHECKPOINT_PAGES)
        disk.fault = armed = fault(at)
        try:
            async with opened_on(disk, path):
                pass
        except DatabaseUnusable as error:
            sentences.add(str(error))
        database = await Database.open(path)
        assert await database.version() == max(migrations())
        await database.close()
        if not armed.has_struck:
            break
    reason = "database or disk is full" if fault is FAULTS["full"] else "disk I/O error"
    assert sentences == {f"The database {path} cannot be used: {reason}."}
