"""Backup, check and deletion of a real database file, beside a running writer."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.database.care import CareFailed, back_up, examine_database
from bot.store.rows.jobs import NewJob
from bot.store.sqlite.database import Database
from tests.bot.store.conftest import Store

Make = Callable[..., NewJob]


async def test_a_backup_beside_a_writer_is_whole(store: Store, new_job: Make, tmp_path: Path) -> None:
    async def write() -> None:
        for number in range(300):
            await store.accept(new_job(number))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.05)
    await back_up(tmp_path / "easel.db", tmp_path / "copy.db")
    assert not writing.done()
    await writing
    assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.db"]
    copy = await Database.open(tmp_path / "copy.db")
    restored = Store(copy)
    assert await restored.broken() == []
    count = len(await restored.queue.of_member(5, 1, 1_000))
    assert 0 < count < 300
    await copy.close()


async def test_a_backup_overwrites_nothing_and_needs_a_database(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("precious")
    with pytest.raises(CareFailed, match="exists; name one that does not"):
        await back_up(tmp_path / "easel.db", tmp_path / "there")
    with pytest.raises(CareFailed, match="was not written"):
        await back_up(tmp_path / "easel.db", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


async def test_a_broken_balance_is_found_and_named(store: Store, new_job: Make, tmp_path: Path) -> None:
    await store.accept(new_job(1))
    said: list[str] = []
    assert await examine_database(tmp_path / "easel.db", say=said.append)
    assert all(line.startswith("ok ") for line in said)
    await store.database.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as connection:
        connection.execute("UPDATE pots SET spent = 7 WHERE kind = 'period'")
    said.clear()
    assert not await examine_database(tmp_path / "easel.db", say=said.append)
    assert [line for line in said if not line.startswith("ok ")] == [
        "BAD  pots equal the sum of their postings: broken by 1 row(s), such as 1"
    ]
    with pytest.raises(CareFailed, match="breaks the ledger's promises"):
        await back_up(tmp_path / "easel.db", tmp_path / "copy.db")


async def test_what_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    for version, sentence in ((0, "is no database of Easel's"), (99, "newer Easel .* install that Easel again")):
        with contextlib.closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        for look in (
            examine_database(tmp_path / "easel.db", say=print),
            back_up(tmp_path / "easel.db", tmp_path / "x"),
        ):
            with pytest.raises(CareFailed, match=sentence):
                await look
    with pytest.raises(CareFailed, match=r"There is no folder .*/nowhere; make it"):
        await back_up(tmp_path / "easel.db", tmp_path / "nowhere" / "copy.db")
