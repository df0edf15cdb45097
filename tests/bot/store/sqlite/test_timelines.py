"""Restoring a copy, and numbers that are never used twice, however an older file came to be there."""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.database.care import CareFailed, back_up, examine_database, restore
from bot.store.rows.jobs import NewJob
from bot.store.sqlite.database import Database, DatabaseUnusable
from bot.store.sqlite.migrating import migrations
from bot.store.sqlite.timelines import BEGIN, UNSEEN, Numbers, read_mark, write_mark
from tests.bot.store.conftest import Store

Make = Callable[..., NewJob]


async def accepted(path: Path, make: Make, *numbers: int) -> list[tuple[int, int]]:
    """Open the file, accept these interactions, and close it: the numbers and timelines that they got."""
    database = await Database.open(path)
    jobs = [await Store(database).accept(make(number)) for number in numbers]
    write_mark(path, await database.used_numbers())
    await database.close()
    return [(job.job_id, job.timeline) for job in jobs]


@pytest.mark.parametrize("drawn", [0, 0x7FFEFFFE, -0x7FFEFFFE, 2**63 - 1, -(2**63)])
def test_no_timeline_is_zero_and_each_fits_the_id_of_a_component(drawn: int) -> None:
    first = re.search(r"INSERT INTO timeline VALUES \((.*)\);", migrations()[1])
    later = re.search(r"SET number = (.*)", BEGIN)
    assert first is not None
    assert later is not None
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for found in (first, later):
            (number,) = connection.execute(f"SELECT {found[1].replace('random()', f'({drawn})')}").fetchone()
            assert 0x10000 <= number < 2**31


async def test_a_restored_copy_goes_on_behind_all_that_was_used(tmp_path: Path, new_job: Make) -> None:
    path = tmp_path / "easel.db"
    ((_, before),) = await accepted(path, new_job, 1)
    await back_up(path, tmp_path / "copy.db")
    # The copy is no older yet, but what it is restored to will be another history all the same.
    assert await accepted(path, new_job, 2, 3) == [(2, before), (3, before)]
    (tmp_path / "easel.db.numbers").unlink()  # it is written again from the database that is moved aside
    aside = await restore(tmp_path / "copy.db", path)
    assert aside is not None
    with contextlib.closing(sqlite3.connect(aside)) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (3,)
    ((number, after),) = await accepted(path, new_job, 4)
    assert (number, after != before) == (3 + UNSEEN + 1, True)
    # Another start is no other timeline.
    assert await accepted(path, new_job, 5) == [(number + 1, after)]
    assert await examine_database(path, say=print)


@pytest.mark.parametrize("how", ["by hand", "a plain copy", "the file was lost"])
async def test_an_older_file_is_known_however_it_came_there(tmp_path: Path, new_job: Make, how: str) -> None:
    path, copy = tmp_path / "easel.db", tmp_path / "copy.db"
    ((_, before),) = await accepted(path, new_job, 1)
    if how == "by hand":
        await back_up(path, copy)
    elif how == "a plain copy":
        shutil.copy(path, copy)
    await accepted(path, new_job, 2, 3)
    path.unlink()
    if copy.exists():
        copy.rename(path)
    ((number, after),) = await accepted(path, new_job, 4)
    assert (number, after != before) == (3 + UNSEEN + 1, True)


async def test_without_any_mark_a_copy_goes_on_far_behind(tmp_path: Path, new_job: Make) -> None:
    await accepted(tmp_path / "easel.db", new_job, 1)
    await back_up(tmp_path / "easel.db", tmp_path / "elsewhere.db")
    assert (await accepted(tmp_path / "elsewhere.db", new_job, 2))[0][0] == 1_000_002


async def test_a_database_without_its_numbers_is_damaged(tmp_path: Path, new_job: Make) -> None:
    path = tmp_path / "easel.db"
    await accepted(path, new_job, 1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = NULL WHERE name = 'jobs'")
    with pytest.raises(DatabaseUnusable, match="holds no number for jobs"):
        await Database.open(path)


async def test_a_mark_that_was_torn_is_none(tmp_path: Path) -> None:
    for content in (b"", b"\0" * 20, b'{"jobs":'):
        (tmp_path / "easel.db.numbers").write_bytes(content)
        assert read_mark(tmp_path / "easel.db") is None
    write_mark(tmp_path / "easel.db", Numbers(jobs=3, expansions=1))
    assert read_mark(tmp_path / "easel.db") == Numbers(jobs=3, expansions=1)


async def test_who_goes_back_to_an_earlier_easel_restores_the_copy_over_the_newer_file(
    tmp_path: Path, new_job: Make
) -> None:
    path, copy = tmp_path / "easel.db", tmp_path / "backups" / "before-99.db"
    copy.parent.mkdir()
    await accepted(path, new_job, 1)
    await back_up(path, copy)
    await accepted(path, new_job, 2, 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DatabaseUnusable, match="newer Easel"):
        await Database.open(path)
    aside = await restore(copy, path)
    assert aside is not None
    # The newer Easel used two numbers, and the earlier one gives them to nobody else.
    assert (await accepted(path, new_job, 4))[0][0] == 3 + UNSEEN + 1


async def test_nothing_is_restored_that_is_no_whole_copy(tmp_path: Path, new_job: Make) -> None:
    path = tmp_path / "easel.db"
    await accepted(path, new_job, 1)
    await back_up(path, tmp_path / "copy.db")
    (tmp_path / "text.db").write_text("no database" * 200)
    for name, statement in (("newer.db", "PRAGMA user_version = 99"), ("broken.db", "UPDATE pots SET spent = 7")):
        shutil.copy(tmp_path / "copy.db", tmp_path / name)
        with contextlib.closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as connection:
            connection.execute(statement)
    there = {found: found.read_bytes() for found in tmp_path.iterdir()}
    for name, sentence in (
        ("none.db", r"There is no file .*none\.db; name a copy"),
        ("text.db", "file is not a database"),
        ("newer.db", "written by a newer Easel"),
        ("broken.db", "breaks the ledger's promises; take an older copy"),
        ("easel.db", "is the database itself"),
    ):
        with pytest.raises(CareFailed, match=sentence):
            await restore(tmp_path / name, path)
    assert {found: found.read_bytes() for found in tmp_path.iterdir()} == there


async def test_nothing_is_restored_under_a_running_bot(store: Store, new_job: Make, tmp_path: Path) -> None:
    await store.accept(new_job(1))
    await back_up(tmp_path / "easel.db", tmp_path / "copy.db")
    with pytest.raises(CareFailed, match="in use by another Easel"):
        await restore(tmp_path / "copy.db", tmp_path / "easel.db")


async def test_a_damaged_database_is_replaced_with_its_log(tmp_path: Path, new_job: Make) -> None:
    path = tmp_path / "easel.db"
    await accepted(path, new_job, 1)
    await back_up(path, tmp_path / "copy.db")
    path.write_bytes(b"damaged" * 1_000)
    (tmp_path / "easel.db-wal").write_bytes(b"log")
    aside = await restore(tmp_path / "copy.db", path)
    assert aside is not None
    assert aside.read_bytes().startswith(b"damaged")
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"log"
    assert (await accepted(path, new_job, 2))[0][0] == 1 + UNSEEN + 1
