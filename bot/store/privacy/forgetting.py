"""Wishes to be forgotten, in the database. Each is one transaction; files go after it (`removals`)."""

import sqlite3
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bot.store.admission import end_job
from bot.store.inputs import WANTED
from bot.store.privacy.blanking import blank_jobs
from bot.store.privacy.persons import DELETED, Person, replace_held, replace_ids
from bot.store.privacy.wish_file import KEPT
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.wishes import AskedBy, BlankedFor, Scope, Wish
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import fetch_all, from_ms, sure, to_ms

_JOBS: Final = "SELECT job_id, status FROM jobs WHERE requester_id = ? AND created_at <= ?"
_ASKED_ABOUT: Final = f"{WANTED} WHERE user_id = :user AND expansions.created_at <= :at"
_NEWEST: Final = """
SELECT max(
    ifnull((SELECT max(created_at) FROM jobs WHERE requester_id = :user), 0),
    ifnull((SELECT max(created_at) FROM expansions WHERE user_id = :user), 0)
) AS newest
"""
_HELD: Final = "SELECT wish, asked_at, user_id, pseudonym FROM forgettings WHERE user_id IS NOT NULL"
_DONE: Final = "INSERT OR REPLACE INTO forgettings (wish, asked_at, user_id, pseudonym) VALUES (?, ?, ?, ?)"
_DRAWN_AGAIN: Final = """
DELETE FROM removals WHERE folder = 'images' AND sha256 IN (
    SELECT sha256 FROM outputs JOIN jobs USING (job_id) WHERE blanked_for IS NULL
        AND NOT (ifnull(hold, 'allowed') IN ('wanted', 'held') AND status IN ('failed', 'cancelled'))
)
"""
"""What a job shows stays. The outputs of a held job that ended were shown to nobody."""
_REMEMBERED: Final = KEPT + timedelta(days=10)
"""Time for which the database knows a wish, longer than the file does."""


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten: how many jobs lost their words, and those of them that were open, cancelled and refunded."""

    jobs: int
    cancelled: tuple[Job, ...]


class ForgettingRepository:
    """The tables `forgettings`, `removals` and `farewells`."""

    def __init__(self, database: Database, time_zone: str) -> None:
        self._database = database
        self._time_zone = time_zone

    async def wish(self, user_id: int, scope: Scope, by: AskedBy, now: datetime) -> Wish:
        """A wish of this moment, or of the person's newest job, which is later if the clock went back."""
        row = sure(await self._database.fetch_one(_NEWEST, {"user": user_id}))
        return Wish.new(user_id, scope, by, max(now, from_ms(row["newest"]) or now))

    async def carry_out(self, wish: Wish, now: datetime) -> Forgotten:
        """Forget a person's words, or everything. Open jobs are cancelled and refunded; the sums of the ledger stay.

        The files in `removals` are left to do. A second time changes nothing.
        """
        return await self._database.write(_carry_out, wish, self._time_zone, now)

    async def carried_out(self) -> frozenset[str]:
        """The wishes that this database carried out."""
        return frozenset(str(row["wish"]) for row in await self._database.fetch_all("SELECT wish FROM forgettings"))

    async def finish(self, now: datetime) -> None:
        """Replace ids that waited for the end of a period or a block."""
        await self._database.write(_finish, self._time_zone, now)

    async def has_removals(self) -> bool:
        """Whether a file must go."""
        return await self._database.fetch_one("SELECT 1 FROM removals LIMIT 1") is not None

    async def removals(self) -> list[tuple[str, str]]:
        """Folder and hash of each file that must go. One that a job drew again since then stays."""
        return await self._database.write(_removals)

    async def removed(self, folder: str, sha256: str) -> None:
        """Note that a file is gone."""
        await self._database.change("DELETE FROM removals WHERE folder = ? AND sha256 = ?", (folder, sha256))

    async def empty_log(self) -> bool:
        """Move all commits from SQLite's log into the file, and empty the log; False while a reader prevents that.

        Erased text stays readable in the log until then.
        """
        return await self._database.read(_empty_log)

    async def next_farewell(self) -> tuple[Job, str] | None:
        """A forgotten job whose message still shows it, and its language; None if there is none."""
        row = await self._database.fetch_one(
            "SELECT jobs.*, farewells.locale AS spoken FROM farewells JOIN jobs USING (job_id)"
            " ORDER BY job_id DESC LIMIT 1"
        )
        return None if row is None else (Job.from_row(row), str(row["spoken"]))

    async def bade_farewell(self, job_id: int) -> None:
        """Note that a message shows its placeholder, or never will."""
        await self._database.change("DELETE FROM farewells WHERE job_id = ?", (job_id,))

    async def open_jobs(self, user_id: int) -> list[Job]:
        """A person's open jobs, in every server."""
        rows = await self._database.fetch_all(
            "SELECT * FROM jobs WHERE requester_id = ? AND status IN ('queued', 'running')", (user_id,)
        )
        return [Job.from_row(row) for row in rows]


def _carry_out(connection: sqlite3.Connection, wish: Wish, time_zone: str, now: datetime) -> Forgotten:
    asked_at = to_ms(wish.at)
    rows = fetch_all(connection, _JOBS, (wish.user_id, asked_at))
    ended = [_cancel(connection, row["job_id"], now) for row in rows if row["status"] in ("queued", "running")]
    values = {"user": wish.user_id, "at": asked_at}
    given = frozenset(str(row["sha256"]) for row in fetch_all(connection, _ASKED_ABOUT, values))
    for table, which in DELETED.items():
        connection.execute(f"DELETE FROM {table} WHERE user_id = :user AND {which}", values)  # noqa: S608 - ours
    blank_jobs(connection, [row["job_id"] for row in rows], BlankedFor.MEMBER, given=given)
    held: tuple[int | None, int | None] = (None, None)
    if wish.scope is Scope.EVERYTHING:
        person = Person.of(wish, time_zone)
        if replace_ids(connection, person, now):
            held = (person.user_id, person.pseudonym)
    connection.execute(_DONE, (wish.wish, asked_at, *held))
    return Forgotten(jobs=len(rows), cancelled=tuple(job for job in ended if job is not None))


def _cancel(connection: sqlite3.Connection, job_id: int, now: datetime) -> Job | None:
    return end_job(connection, job_id, JobStatus.CANCELLED, outputs_delivered=0, failure=None, error_id=None, now=now)


def _finish(connection: sqlite3.Connection, time_zone: str, now: datetime) -> None:
    for row in fetch_all(connection, _HELD):
        person = Person(
            user_id=row["user_id"],
            pseudonym=row["pseudonym"],
            at=row["asked_at"],
            is_own=True,
            time_zone=time_zone,
        )
        if not replace_held(connection, person, now):
            connection.execute(_DONE, (row["wish"], row["asked_at"], None, None))
    connection.execute("DELETE FROM forgettings WHERE user_id IS NULL AND asked_at < ?", (to_ms(now - _REMEMBERED),))


def _removals(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    connection.execute(_DRAWN_AGAIN)
    rows = fetch_all(connection, "SELECT folder, sha256 FROM removals")
    return [(str(row["folder"]), str(row["sha256"])) for row in rows]


def _empty_log(connection: sqlite3.Connection) -> bool:
    connection.execute("PRAGMA busy_timeout = 0")  # a reader may have the file open for minutes
    try:
        (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute("PRAGMA busy_timeout = 5000")
    return not is_busy
