"""Opening the file: fresh, again, newer, locked, broken."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.store.sqlite.database import Database, DatabaseTooNew, DatabaseUnusable
from bot.store.sqlite.migrating import migrations

_HOLDER = """
import asyncio, sys
from pathlib import Path
from bot.store.sqlite.database import Database

async def hold():
    database = await Database.open(Path(sys.argv[1]))
    await database.change("INSERT INTO servers (guild_id) VALUES (1)")
    print("open", flush=True)
    await asyncio.sleep(60)

asyncio.run(hold())
"""


async def test_it_is_durable_and_alone(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "new" / "easel.db")
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for pragma, value in expected.items():
        row = await database.fetch_one(f"PRAGMA {pragma}")
        assert row is not None
        assert row[0] == value
    assert await database.version() == max(migrations())
    await database.close()


async def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "easel.db")

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO servers (guild_id) VALUES (1)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    await database.change("INSERT INTO servers (guild_id) VALUES (9)")
    rows = await database.fetch_all("SELECT guild_id FROM servers")
    assert [row["guild_id"] for row in rows] == [9]
    await database.close()


async def test_a_newer_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "easel.db"
    database = await Database.open(path)
    await database.change("PRAGMA user_version = 99")
    await database.close()
    with pytest.raises(DatabaseTooNew, match=r"newer Easel \(version 99 .* install that Easel again"):
        await Database.open(path)


async def test_what_is_no_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "easel.db"
    path.write_text("this is no database, but long enough to be mistaken for one" * 20)
    with pytest.raises(DatabaseUnusable, match="cannot be used: file is not a database"):
        await Database.open(path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnusable, match=r"storage\.directory"):
        await Database.open(tmp_path / "file" / "easel.db")


@pytest.mark.system
async def test_one_process_at_a_time_and_nothing_lost_by_its_death(tmp_path: Path) -> None:
    path = tmp_path / "easel.db"
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseUnusable, match="in use by another Easel"):
            await Database.open(path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    database = await Database.open(path)
    rows = await database.fetch_all("SELECT queue_state FROM servers")
    await database.close()
    assert [row["queue_state"] for row in rows] == ["open"]
