"""A file of every version, with data in it, is brought up to date by one more migration and works on."""

import contextlib
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from bot.cli.database.care import back_up, examine_database
from bot.store.expansions import Expansion
from bot.store.rows.jobs import JobStatus, NewJob
from bot.store.rows.origin import StartedBy
from bot.store.rows.preferences import AskerDefaults
from bot.store.rows.wishes import BlankedFor
from bot.store.sqlite.database import Database, DatabaseUnusable
from bot.store.sqlite.migrating import migrations
from bot.store.sqlite.statements import to_ms
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest, UpscaleRequest
from tests.bot.store.conftest import NOW, Store
from tests.made_up_migration import MADE_UP, add_migration

Make = Callable[..., NewJob]
TODAY = to_ms(NOW.replace(hour=0))
YESTERDAY = TODAY - 86_400_000
ENLARGED = UpscaleRequest(
    scale=2, width=64, height=64, model_key="net", inputs=(Input(role=InputRole.SOURCE, sha256="ef"),)
)

_JOB = """
INSERT INTO jobs (job_id, timeline, interaction_id, started_by, guild_id, shown_guild_id, channel_id, is_age_restricted,
    requester_id, requester_name, role_ids, locale, filesize_limit, request, defaults, model_key, notices, price,
    expected_ms, turn_round, status, created_at)
VALUES (?, 3, ?, 'imagine', 5, 5, 6, 0, ?, 'Ada', '[]', 'en-US', 1000, ?, '{}', 'pocket', '[]', ?, 900, ?, 'queued', ?)
"""
_PERIOD_AND_POOL = """
INSERT INTO postings
SELECT ?, pot_id, ?, ? FROM pots WHERE guild_id = 5 AND user_id IN (0, ?) AND kind <> 'bonus' AND period_start = ?
"""


def fill_version_1(connection: sqlite3.Connection, request: str) -> None:
    """Two members: one with jobs in every state and in two periods, one who waits behind; and what else is kept.

    Some requests have no tag, since the first ones had none.
    """
    tagged, request = request, request.replace('"kind":"image",', "", 1)
    assert request != tagged
    connection.execute("INSERT INTO members (guild_id, user_id, round) VALUES (5, 1, 3), (5, 2, 1)")
    connection.executemany(
        "INSERT INTO pots (guild_id, user_id, kind, period, period_start) VALUES (5, ?, ?, 'day', ?)",
        [
            *((0, "pool", YESTERDAY), (0, "pool", TODAY)),
            *((1, "period", YESTERDAY), (1, "period", TODAY), (2, "period", TODAY)),
        ],
    )
    jobs = [
        # job, user, price, period, turn, status, captured
        (1, 1, 4, YESTERDAY, 0, "succeeded", 4),
        (2, 1, 2, TODAY, 0, "succeeded", 2),
        (3, 1, 3, TODAY, 0, "failed", 0),
        (4, 1, 1, TODAY, 0, "running", None),
        (5, 1, 2, TODAY, 1, "queued", None),
        (6, 1, 1, TODAY, 2, "queued", None),
        (7, 2, 3, TODAY, 0, "queued", None),
    ]
    for job, user, price, period, turn, status, captured in jobs:
        connection.execute(_JOB, (job, 100 + job, user, request, price, turn, period + job))
        key = (1 << 61) | ((turn + 1) << 32) | job
        connection.execute("UPDATE jobs SET queue_key = ? WHERE job_id = ?", (key, job))
        if job % 2:
            connection.execute("UPDATE jobs SET request = ? WHERE job_id = ?", (tagged, job))
        if job != 6:
            connection.execute("UPDATE jobs SET message_id = ? WHERE job_id = ?", (1_000 + job, job))
        connection.execute(
            "INSERT INTO ledger (entry_id, job_id, kind, guild_id, user_id, reserved, created_at)"
            " VALUES (?, ?, 'reserve', 5, ?, ?, ?)",
            (job, job, user, price, period + job),
        )
        connection.execute(_PERIOD_AND_POOL, (job, price, 0, user, period))
        if status != "queued":
            connection.execute("UPDATE jobs SET status = ?, attempt = 1 WHERE job_id = ?", (status, job))
        if captured is not None:
            connection.execute(
                "INSERT INTO ledger (entry_id, job_id, kind, guild_id, user_id, captured, released, created_at)"
                " VALUES (?, ?, 'settle', 5, ?, ?, ?, ?)",
                (50 + job, job, user, captured, price - captured, period + job),
            )
            connection.execute(_PERIOD_AND_POOL, (50 + job, -price, captured, user, period))
    connection.execute("INSERT INTO outputs VALUES (2, 0, 'image', 'ab', 'image/png', 3, 64, 64, 7)")
    connection.execute(
        "INSERT INTO expansions VALUES (1, 5, 6, 1, 'imagine', 'null', ?, 4, 0, NULL)",
        (f'[{{"request": {request}, "notices": []}}, {{"request": {tagged}, "notices": []}}]',),
    )
    connection.executescript(
        "INSERT INTO ledger (entry_id, kind, guild_id, user_id, granted, actor_id, created_at)"
        " VALUES (100, 'grant', 5, 1, 3, 99, 0);"
        "INSERT INTO pots (pot_id, guild_id, user_id, kind, period, period_start, amount)"
        " VALUES (100, 5, 1, 'bonus', '', 0, 3);"
        "INSERT INTO postings VALUES (100, 100, 0, 0);"
        "INSERT INTO blocks VALUES (5, 7, NULL, 'spam');"
        "INSERT INTO stars VALUES (2, 1, 0);"
        "INSERT INTO inputs VALUES (2, 0, 'init-image', 'cd');"
    )


def fill_version_2(connection: sqlite3.Connection, _: str) -> None:
    """A failed job enlarged a picture."""
    connection.execute(
        "UPDATE jobs SET request = ?, model_key = 'net', started_by = 'enlarge' WHERE job_id = 3",
        (msgspec.json.encode(ENLARGED).decode(),),
    )


def fill_version_3(connection: sqlite3.Connection, _: str) -> None:
    """A picture is known by its fingerprint, was copied, and was signed."""
    connection.execute("INSERT INTO fingerprints VALUES (2, 0, 'pixels', ?, 'urn:c2pa:1')", (bytes(48),))
    connection.execute("INSERT INTO copies VALUES (2, 0, 'cd')")
    connection.execute("INSERT INTO signing_keys VALUES ('7', 0, NULL, NULL)")


def fill_version_4(connection: sqlite3.Connection, _: str) -> None:
    """A server has a rule of words and an exception."""
    connection.execute("INSERT INTO word_rules VALUES (5, 1, 'dagger', 'refuse', 'No weapons.')")
    connection.execute("INSERT INTO word_exceptions VALUES (5, 'Dagger Falls')")


def fill_version_5(connection: sqlite3.Connection, _: str) -> None:
    """A picture is suggestive."""
    connection.execute("UPDATE outputs SET rating = 'suggestive' WHERE job_id = 2")


def fill_version_6(connection: sqlite3.Connection, _: str) -> None:
    """A server blocks a picture."""
    connection.execute("INSERT INTO image_blocks VALUES (5, 1, ?, 'No.', 0)", (bytes(32),))


def fill_version_7(connection: sqlite3.Connection, _: str) -> None:
    """A member reported a picture, its author was warned, and moderators have a channel."""
    connection.executescript(
        "INSERT INTO cases (kind, guild_id, user_id, job_id, created_at) VALUES ('report', 5, 1, 2, 0);"
        "INSERT INTO reports VALUES (2, 2, 1, 'other', 'odd', 'de', 0);"
        "INSERT INTO warnings (guild_id, user_id, actor_id, reason, created_at) VALUES (5, 1, 99, 'spam', 0);"
        "INSERT INTO reports_channels VALUES (5, 6);"
    )


def fill_version_8(connection: sqlite3.Connection, _: str) -> None:
    """A member was forgotten in part, and a server was left."""
    connection.execute("INSERT INTO servers (guild_id, left_at) VALUES (8, 9)")
    connection.execute("INSERT INTO forgettings VALUES ('ab', 0, 7, -7)")
    connection.execute("INSERT INTO removals VALUES ('images', 'ef')")
    connection.execute("INSERT INTO farewells VALUES (3, 'de')")


def fill_version_9(connection: sqlite3.Connection, _: str) -> None:
    """A rule of words refused a request, and its member appealed."""
    connection.executescript(
        "INSERT INTO hits (guild_id, user_id, whose, rule, word, part, how, prompt, request, locale, created_at)"
        " VALUES (5, 1, 'server', 1, 'dagger', 'd4gger', '[\"signs\"]', 'a d4gger', '{}', 'de', 0);"
        "INSERT INTO cases (kind, guild_id, user_id, hit_id, created_at) VALUES ('appeal', 5, 1, 1, 0);"
    )


def fill_version_10(connection: sqlite3.Connection, _: str) -> None:
    """A rule wants pictures looked at, and a job wants that."""
    connection.execute("INSERT INTO word_rules VALUES (5, 2, 'castle', 'review', '')")
    connection.execute("UPDATE jobs SET hold = 'wanted' WHERE job_id = 5")


def fill_version_11(connection: sqlite3.Connection, _: str) -> None:
    """A channel shows only harmless pictures, and a job was asked for in a thread."""
    connection.execute("INSERT INTO channel_rules VALUES (5, 6, NULL, '{}', 'strict')")
    connection.execute("UPDATE jobs SET parent_channel_id = 6 WHERE job_id = 6")


def fill_version_12(connection: sqlite3.Connection, _: str) -> None:
    """A rule of words paused a member."""
    connection.execute("INSERT INTO pauses VALUES (5, 1, 9)")


def fill_version_13(connection: sqlite3.Connection, _: str) -> None:
    """A server has a showcase, which shows a job."""
    connection.execute("INSERT INTO showcases VALUES (5, 6, 3)")
    connection.execute("INSERT INTO exhibits VALUES (1, 6, 9, '[]', 3, 0)")


def fill_version_14(connection: sqlite3.Connection, _: str) -> None:
    """A service may have billed a job."""
    connection.execute("INSERT INTO spendings VALUES (1, 9, 40000)")


def fill_version_15(connection: sqlite3.Connection, _: str) -> None:
    """A member's grid has ended, and its sheet is kept for a day."""
    connection.execute("INSERT INTO sheets VALUES (9, 5, 1, 77, '{}', '[]', '{}', 'null', 0, 1)")


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
        9: fill_version_9,
        10: fill_version_10,
        11: fill_version_11,
        12: fill_version_12,
        13: fill_version_13,
        14: fill_version_14,
        15: fill_version_15,
    }
)
"""What was written in each version. A new migration needs a new entry."""


def old_file(path: Path, request: GenerationRequest) -> bytes:
    """A file of the newest version that is there, before a made-up one comes, with jobs in it; its bytes."""
    return file_of_version(path, request, max(migrations()))


def file_of_version(path: Path, request: GenerationRequest, version: int) -> bytes:
    """A file that every version up to this one wrote into; its bytes."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        for number in range(1, version + 1):
            connection.executescript(migrations()[number])
            FILLED[number](connection, msgspec.json.encode(request).decode())
        connection.execute(f"PRAGMA user_version = {version}")
    return path.read_bytes()


@pytest.fixture(params=sorted(FILLED))
async def migrated(
    request: pytest.FixtureRequest,
    request_: GenerationRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Store]:
    file_of_version(tmp_path / "easel.db", request_, int(request.param))
    add_migration(monkeypatch, tmp_path / "migrations")
    database = await Database.open(tmp_path / "easel.db")
    yield Store(database)
    await database.close()


def test_every_version_is_tried() -> None:
    assert sorted(FILLED) == sorted(migrations())


async def test_nothing_is_lost_and_every_promise_holds(migrated: Store) -> None:
    assert await migrated.database.version() == max(migrations()) == max(FILLED) + 1
    made_up = await migrated.database.fetch_all("SELECT words, made_up_number FROM made_up JOIN jobs USING (job_id)")
    assert [tuple(row) for row in made_up] == [("Ada", 7)] * 7
    assert await migrated.broken() == []
    facts_1 = await migrated.used(1, amount=50)
    assert (facts_1, await migrated.used(2, amount=50)) == (6, 3)
    entries = await migrated.ledger.entries(5, 1, 100)
    assert sum(entry.captured for entry in entries) == 6
    assert len([entry for entry in entries if entry.job_id is not None]) == 9
    assert [result.sha256 for result in await migrated.jobs.outputs(2)] == ["ab"]
    read = await migrated.jobs.get(1)
    assert read is not None
    assert (read.request.prompt, read.status, read.price) == ("a red apple", JobStatus.SUCCEEDED, 4)
    assert read.defaults == AskerDefaults()
    assert msgspec.json.decode((await raw(migrated, 2)), type=dict[str, object])["kind"] == "image"
    waiting = [Expansion.from_row(row) for row in await migrated.database.fetch_all("SELECT * FROM expansions")]
    assert [job.defaults for expansion in waiting for job in expansion.jobs] == [AskerDefaults()] * 2
    assert [type(job.request) for expansion in waiting for job in expansion.jobs] == [GenerationRequest] * 2


async def test_a_row_of_another_kind_keeps_it(
    request_: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_of_version(tmp_path / "easel.db", request_, max(FILLED))
    add_migration(monkeypatch, tmp_path / "migrations")
    database = await Database.open(tmp_path / "easel.db")
    read = await Store(database).jobs.get(3)
    await database.close()
    assert read is not None
    assert (read.request, read.origin.started_by) == (ENLARGED, StartedBy.ENLARGE)


async def test_who_was_forgotten_before_has_a_reason(request_: GenerationRequest, tmp_path: Path) -> None:
    file_of_version(tmp_path / "easel.db", request_, 5)
    with contextlib.closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as connection:
        connection.execute("UPDATE jobs SET requester_name = '' WHERE job_id = 1")
    database = await Database.open(tmp_path / "easel.db")
    read = [await Store(database).jobs.get(number) for number in (1, 2)]
    await database.close()
    assert [job.blanked_for for job in read if job is not None] == [BlankedFor.MEMBER, None]


async def raw(store: Store, job_id: int) -> str:
    row = await store.database.fetch_one("SELECT request FROM jobs WHERE job_id = ?", (job_id,))
    assert row is not None
    return str(row["request"])


async def test_the_queue_goes_on_where_it_was(migrated: Store, new_job: Make) -> None:
    assert [job.job_id for job in await migrated.queue.running()] == [4]
    assert [job.job_id for job in await migrated.queue.unanswered()] == [6]
    await migrated.accept(new_job(900, user=3))
    await migrated.jobs.record_message(6, 1_006)
    claimed: list[int] = []
    while job := await migrated.queue.claim_next(running_per_user=0, now=NOW):
        claimed.append(job.job_id)
    assert claimed == [7, 5, 8, 6]
    assert await migrated.broken() == []


async def test_what_was_reserved_then_is_settled_now(migrated: Store) -> None:
    assert await migrated.jobs.deliver(4, outputs_delivered=1, now=NOW)
    await migrated.jobs.end(5, status=JobStatus.CANCELLED, failure=None, error_id=None, now=NOW)
    assert await migrated.used(1, amount=50) == 4
    assert await migrated.broken() == []


async def test_who_only_looks_leaves_an_older_file_as_it_is(
    request_: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "easel.db"
    before = old_file(path, request_)
    add_migration(monkeypatch, tmp_path / "migrations")
    said: list[str] = []
    assert await examine_database(path, say=said.append)
    await back_up(path, tmp_path / "copy.db")
    assert path.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["copy.db", "easel.db", "migrations"]
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (max(FILLED),)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO ledger (kind, guild_id, user_id, actor_id, created_at) VALUES ('grant', 5, 1, 9, 0)"
        )
        connection.execute("UPDATE pots SET spent = spent + 7 WHERE kind = 'period'")
    assert not await examine_database(path, say=said.append)


async def test_a_copy_is_kept_before_the_file_is_brought_up_to_date(
    request_: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "backups").mkdir()
    for number in range(4):
        old = tmp_path / "backups" / f"before-1-{number}.db"
        old.touch()
        os.utime(old, (number, number))
    old_file(tmp_path / "easel.db", request_)
    add_migration(monkeypatch, tmp_path / "migrations")
    for _ in range(2):  # the second start finds nothing to do
        await (await Database.open(tmp_path / "easel.db")).close()
    kept = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert kept[:2] == ["before-1-2.db", "before-1-3.db"]
    assert len(kept) == 3
    assert kept[2].startswith(f"before-{max(migrations())}-")
    with contextlib.closing(sqlite3.connect(tmp_path / "backups" / kept[2])) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (max(FILLED),)
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (7,)


async def test_without_room_for_a_copy_nothing_is_changed(
    request_: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old_file(tmp_path / "easel.db", request_)
    add_migration(monkeypatch, tmp_path / "migrations")
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(
        DatabaseUnusable, match=r"was not brought from version \d+ to \d+, since no copy .*backups cannot be"
    ):
        await Database.open(tmp_path / "easel.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "easel.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (max(FILLED),)
    assert len(before) == (tmp_path / "easel.db").stat().st_size


async def test_a_migration_that_fails_leaves_the_file_as_it_was(
    request_: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "easel.db"
    old_file(path, request_)
    add_migration(monkeypatch, tmp_path / "migrations", f"{MADE_UP}\nCREATE TABLE timings (x INTEGER);")
    with pytest.raises(DatabaseUnusable, match="timings already exists"):
        await Database.open(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (max(FILLED),)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert "timings" in tables
    assert "made_up" not in tables
    assert len(list((tmp_path / "backups").iterdir())) == 1
