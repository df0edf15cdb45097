"""A file of every earlier version, with data in it, is brought up to date and works on."""

import contextlib
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from bot.cli.care import back_up, examine_database
from bot.store.expansions import Expansion
from bot.store.rows import AskerDefaults, JobStatus, NewJob, to_ms
from bot.store.sqlite.database import Database, DatabaseUnusable
from bot.store.sqlite.migrating import migrations
from pipeline.protocol.requests import GenerationRequest
from tests.bot.store.conftest import NOW, Store

Make = Callable[..., NewJob]
TODAY = to_ms(NOW.replace(hour=0))
YESTERDAY = TODAY - 86_400_000

_JOB_1 = (
    "INSERT INTO jobs (job_id, interaction_id, kind, guild_id, channel_id, requester_id, requester_name, locale,"
    " filesize_limit, message_id, request, model_key, price, period_start, status, attempt, created_at)"
    " VALUES (?, ?, 'imagine', 5, 6, ?, 'Ada', 'en-US', 1000, ?, ?, 'pocket', ?, ?, ?, ?, ?)"
)
_ENTRY_1 = (
    "INSERT INTO ledger (job_id, kind, guild_id, user_id, period_start, reserved, captured, released, created_at)"
    " VALUES (?, ?, 5, ?, ?, ?, ?, ?, ?)"
)


def fill_version_1(connection: sqlite3.Connection, request: str) -> None:
    """Two members: one with jobs in every state and in two periods, one who waits behind them."""
    jobs = [
        # job, user, price, period, status, attempt, captured
        (1, 1, 4, YESTERDAY, "succeeded", 1, 4),
        (2, 1, 2, TODAY, "succeeded", 1, 2),
        (3, 1, 3, TODAY, "failed", 1, 0),
        (4, 1, 1, TODAY, "running", 1, None),
        (5, 1, 2, TODAY, "queued", 0, None),
        (6, 1, 1, TODAY, "queued", 2, None),
        (7, 2, 3, TODAY, "queued", 0, None),
    ]
    for job, user, price, period, status, attempt, captured in jobs:
        message = None if job == 6 else 1_000 + job
        connection.execute(
            _JOB_1, (job, 100 + job, user, message, request, price, period, status, attempt, period + job)
        )
        connection.execute(_ENTRY_1, (job, "reserve", user, period, price, 0, 0, period + job))
        if captured is not None:
            connection.execute(_ENTRY_1, (job, "settle", user, period, 0, captured, price - captured, period + job))
    connection.execute("INSERT INTO results VALUES (2, 0, 'ab', 'image/png', 64, 64, 3, 7)")
    usage = [(1, YESTERDAY, 4), (1, TODAY, 6), (2, TODAY, 3)]
    connection.executemany("INSERT INTO usage VALUES (5, ?, ?, ?)", usage)


def fill_version_2(connection: sqlite3.Connection, request: str) -> None:
    """A bonus and a block on top, since a file of version 2 may have been one of version 1."""
    del request  # no job is added
    connection.executescript(
        "INSERT INTO ledger (entry_id, kind, guild_id, user_id, granted, actor_id, created_at)"
        " VALUES (100, 'grant', 5, 1, 3, 99, 0);"
        "INSERT INTO pots (pot_id, guild_id, user_id, kind, period, period_start, amount)"
        " VALUES (100, 5, 1, 'bonus', '', 0, 3);"
        "INSERT INTO postings VALUES (100, 100, 0, 0);"
        "INSERT INTO blocks VALUES (5, 7, NULL, 'spam');"
    )


def fill_version_3(connection: sqlite3.Connection, request: str) -> None:
    """Somebody keeps a picture of an earlier version."""
    del request  # no job is added
    connection.execute("INSERT INTO stars VALUES (2, 1, 0)")


def fill_version_4(connection: sqlite3.Connection, request: str) -> None:
    """A job that was asked for in an age-restricted channel, and somebody is blocked elsewhere."""
    del request  # no job is added
    connection.execute("UPDATE jobs SET is_age_restricted = 1, shown_guild_id = 5 WHERE job_id = 1")
    connection.execute("INSERT INTO blocks VALUES (6, 8, NULL, NULL)")


def fill_version_5(connection: sqlite3.Connection, request: str) -> None:
    """A question whether several jobs shall start, of before jobs knew whose defaults they took."""
    jobs = f'[{{"request": {request}, "notices": []}}]'
    connection.execute("INSERT INTO expansions VALUES (1, 5, 6, 1, 'imagine', 'null', ?, 4, 0, NULL)", (jobs,))


def fill_version_6(connection: sqlite3.Connection, request: str) -> None:
    """A job that knows whose defaults it took, of before recipes."""
    connection.execute(
        "UPDATE jobs SET defaults = ? WHERE job_id = 2", (f'{{"own": {{"model_key": "{len(request)}"}}}}',)
    )


def fill_version_7(connection: sqlite3.Connection, request: str) -> None:
    """A job that knows its recipe, of before timelines."""
    del request  # no job is added
    connection.execute("UPDATE jobs SET recipe = 'null' WHERE job_id = 3")


def fill_version_8(connection: sqlite3.Connection, request: str) -> None:
    """A job of a timeline, of before it was known how long a start takes."""
    del request  # no job is added
    connection.execute("UPDATE jobs SET timeline = 3 WHERE job_id = 3")


FILLED: Mapping[int, Callable[[sqlite3.Connection, str], None]] = MappingProxyType(
    {
        1: fill_version_1,
        2: fill_version_2,
        3: fill_version_3,
        4: fill_version_4,
        5: fill_version_5,
        6: fill_version_6,
        7: fill_version_7,
        8: fill_version_8,
    }
)
"""What was written in each earlier version. A new migration needs a new entry."""


def old_file(path: Path, request: GenerationRequest, *, version: int = 1) -> bytes:
    """A file of an earlier version with jobs in it; its bytes."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number in range(1, version + 1):
            connection.executescript(migrations()[number])
            FILLED[number](connection, msgspec.json.encode(request).decode())
        connection.execute(f"PRAGMA user_version = {version}")
    return path.read_bytes()


@pytest.fixture(params=sorted(FILLED))
async def migrated(
    request: pytest.FixtureRequest, request_: GenerationRequest, tmp_path: Path
) -> AsyncGenerator[Store]:
    old_file(tmp_path / "easel.db", request_, version=int(request.param))
    database = await Database.open(tmp_path / "easel.db")
    yield Store(database)
    await database.close()


def test_every_earlier_version_is_tried() -> None:
    assert sorted(FILLED) == list(range(1, max(migrations())))


async def test_nothing_is_lost_and_every_promise_holds(migrated: Store) -> None:
    assert await migrated.database.version() == max(migrations())
    assert await migrated.broken() == []
    facts_1 = await migrated.used(1, amount=50)
    assert (facts_1, await migrated.used(2, amount=50)) == (6, 3)
    entries = await migrated.ledger.entries(5, 1, 100)
    assert sum(entry.captured for entry in entries) == 6
    assert len([entry for entry in entries if entry.job_id is not None]) == 9
    assert [result.sha256 for result in await migrated.jobs.results(2)] == ["ab"]
    read = await migrated.jobs.get(1)
    assert read is not None
    assert (read.request.prompt, read.status, read.price) == ("a red apple", JobStatus.SUCCEEDED, 4)
    assert read.defaults == AskerDefaults()
    waiting = [Expansion.from_row(row) for row in await migrated.database.fetch_all("SELECT * FROM expansions")]
    assert [job.defaults for expansion in waiting for job in expansion.jobs] == [AskerDefaults()] * len(waiting)


async def test_the_queue_goes_on_where_it_was(migrated: Store, new_job: Make) -> None:
    assert [job.job_id for job in await migrated.queue.running()] == [4]
    assert [job.job_id for job in await migrated.queue.unanswered()] == [6]
    await migrated.accept(new_job(900, user=3))
    await migrated.jobs.record_message(6, 1_006)
    claimed: list[int] = []
    while job := await migrated.queue.claim_next(running_per_user=0, now=NOW):
        claimed.append(job.job_id)
    assert claimed == [7, 8, 5, 6]
    assert await migrated.broken() == []


async def test_what_was_reserved_then_is_settled_now(migrated: Store) -> None:
    assert await migrated.jobs.deliver(4, images_delivered=1, now=NOW)
    await migrated.jobs.end(5, status=JobStatus.CANCELLED, failure=None, error_id=None, now=NOW)
    assert await migrated.used(1, amount=50) == 4
    assert await migrated.broken() == []


async def test_who_only_looks_leaves_an_older_file_as_it_is(request_: GenerationRequest, tmp_path: Path) -> None:
    path = tmp_path / "easel.db"
    before = old_file(path, request_, version=5)
    said: list[str] = []
    assert await examine_database(path, say=said.append)
    await back_up(path, tmp_path / "copy.db")
    assert path.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["copy.db", "easel.db"]
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (5,)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO ledger (kind, guild_id, user_id, actor_id, created_at) VALUES ('grant', 5, 1, 9, 0)"
        )
        connection.execute("UPDATE pots SET spent = spent + 7 WHERE kind = 'period'")
    assert not await examine_database(path, say=said.append)


async def test_a_copy_is_kept_before_the_file_is_brought_up_to_date(
    request_: GenerationRequest, tmp_path: Path
) -> None:
    (tmp_path / "backups").mkdir()
    for number in range(4):
        old = tmp_path / "backups" / f"before-1-{number}.db"
        old.touch()
        os.utime(old, (number, number))
    old_file(tmp_path / "easel.db", request_, version=5)
    for _ in range(2):  # the second start finds nothing to do
        await (await Database.open(tmp_path / "easel.db")).close()
    kept = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert kept[:2] == ["before-1-2.db", "before-1-3.db"]
    assert len(kept) == 3
    assert kept[2].startswith(f"before-{max(migrations())}-")
    with contextlib.closing(sqlite3.connect(tmp_path / "backups" / kept[2])) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (5,)
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (7,)


async def test_without_room_for_a_copy_nothing_is_changed(request_: GenerationRequest, tmp_path: Path) -> None:
    before = old_file(tmp_path / "easel.db", request_, version=5)
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(
        DatabaseUnusable, match=r"was not brought from version 5 to \d+, since no copy .*backups cannot be"
    ):
        await Database.open(tmp_path / "easel.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "easel.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (5,)
    assert len(before) == (tmp_path / "easel.db").stat().st_size


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "easel.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(migrations()[1])
        # In the way of the second migration's last steps.
        connection.executescript("PRAGMA user_version = 1; CREATE TABLE timings (x INTEGER);")
    with pytest.raises(DatabaseUnusable, match="timings already exists"):
        await Database.open(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert "usage" in tables
    assert "pots" not in tables
    assert len(list((tmp_path / "backups").iterdir())) == 1
