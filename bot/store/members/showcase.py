"""The showcase of a server: its rule, and the jobs whose pictures it shows (exhibits)."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from bot.store.members.servers import Decision, audit
from bot.store.rows.jobs import Job
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, to_json

_STARS: Final = "SELECT count(*) AS stars FROM stars WHERE job_id = ? AND user_id <> ?"
"""A member's star for their own job keeps it and says nothing about it."""
_CLAIM: Final = """
INSERT INTO exhibits (job_id, channel_id, stars) VALUES (:job, :channel, :stars)
ON CONFLICT DO UPDATE SET channel_id = :channel, stars = :stars WHERE channel_id IS NULL AND is_withdrawn = 0
"""
_ASKED: Final = "SELECT 1 FROM exhibits JOIN jobs USING (job_id) WHERE requester_id = ?"
_WAITING: Final = """
SELECT jobs.* FROM exhibits JOIN jobs USING (job_id)
WHERE requester_id = ? AND exhibits.channel_id IS NULL AND is_withdrawn = 0 ORDER BY job_id
"""
_UNPOSTED: Final = """
SELECT jobs.* FROM exhibits JOIN jobs USING (job_id)
WHERE exhibits.channel_id IS NOT NULL AND exhibits.message_id IS NULL AND is_withdrawn = 0 ORDER BY job_id
"""
_UNWANTED: Final = """
SELECT exhibits.* FROM exhibits JOIN jobs USING (job_id) LEFT JOIN user_settings ON user_id = requester_id
WHERE exhibits.message_id IS NOT NULL AND (
    is_withdrawn OR removed_at IS NOT NULL OR blanked_for IS NOT NULL OR is_shown = 0 OR EXISTS (
        SELECT 1 FROM cases WHERE cases.job_id = exhibits.job_id AND (is_veiled OR outcome IN ('spoiler', 'remove'))
    )
)
"""


class ShowcaseRule(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server shows pictures, and how many stars of other members a job needs for that."""

    channel_id: int
    stars: int


class Exhibit(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the showcase: the message that shows it, the names of its files, and the stars that it names.

    Without a channel, the job's requester was asked and has not answered. Without a message, it is on its way.
    """

    job_id: int
    channel_id: int | None
    message_id: int | None
    file_names: tuple[str, ...]
    stars: int


class ShowcaseRepository:
    """The tables `showcases` and `exhibits`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rule(self, guild_id: int) -> ShowcaseRule | None:
        """A server's rule; None if it has no showcase."""
        row = await self._database.fetch_one("SELECT * FROM showcases WHERE guild_id = ?", (guild_id,))
        return None if row is None else ShowcaseRule(channel_id=row["channel_id"], stars=row["stars"])

    async def set_rule(self, by: Decision, rule: ShowcaseRule | None) -> None:
        """Set a server's rule; None ends its showcase. What was shown stays."""
        await self._database.write(_set_rule, by, rule)

    async def stars(self, job: Job) -> int:
        """Number of other members who keep a job's pictures."""
        row = await self._database.fetch_one(_STARS, (job.job_id, job.requester_id))
        return 0 if row is None else row["stars"]

    async def get(self, job_id: int) -> Exhibit | None:
        """A job's place in the showcase; None if it has none."""
        row = await self._database.fetch_one("SELECT * FROM exhibits WHERE job_id = ?", (job_id,))
        return None if row is None else _exhibit(row)

    async def claim(self, job_id: int, channel_id: int, stars: int) -> bool:
        """Take the one right to show a job in a channel; False if somebody had it before."""
        values = {"job": job_id, "channel": channel_id, "stars": stars}
        return await self._database.change(_CLAIM, values) > 0

    async def note_waiting(self, job: Job, stars: int) -> bool:
        """Note a job that waits for its requester's answer; returns whether to ask: once for all their jobs."""
        return await self._database.write(_note_waiting, job, stars)

    async def waiting(self, user_id: int) -> list[Job]:
        """A member's jobs that wait for the answer."""
        return [Job.from_row(row) for row in await self._database.fetch_all(_WAITING, (user_id,))]

    async def unposted(self) -> list[Job]:
        """Jobs whose message is on its way, or was when a process ended."""
        return [Job.from_row(row) for row in await self._database.fetch_all(_UNPOSTED)]

    async def note_message(self, job_id: int, message_id: int, file_names: Sequence[str]) -> None:
        """Note the message that shows a job, and the names of its files."""
        values = (message_id, to_json(list(file_names)), job_id)
        await self._database.change("UPDATE exhibits SET message_id = ?, file_names = ? WHERE job_id = ?", values)

    async def note_stars(self, job_id: int, stars: int) -> None:
        """Note the number of stars that the message names."""
        await self._database.change("UPDATE exhibits SET stars = ? WHERE job_id = ?", (stars, job_id))

    async def withdraw(self, job_id: int) -> None:
        """Let a job be shown no more, and never again."""
        await self._database.change("UPDATE exhibits SET is_withdrawn = 1 WHERE job_id = ?", (job_id,))

    async def unwanted(self) -> list[Exhibit]:
        """Exhibits whose message must go: by their member's or a moderator's will."""
        return [_exhibit(row) for row in await self._database.fetch_all(_UNWANTED)]

    async def taken_down(self, job_id: int) -> None:
        """Note that no message shows a job any more."""
        await self._database.change(
            "UPDATE exhibits SET message_id = NULL, is_withdrawn = 1 WHERE job_id = ?", (job_id,)
        )


def _exhibit(row: sqlite3.Row) -> Exhibit:
    values = {name: row[name] for name in Exhibit.__struct_fields__}
    values["file_names"] = msgspec.json.decode(row["file_names"], type=tuple[str, ...])
    return Exhibit(**values)


def _set_rule(connection: sqlite3.Connection, by: Decision, rule: ShowcaseRule | None) -> None:
    if rule is None:
        change(connection, "DELETE FROM showcases WHERE guild_id = ?", (by.guild_id,))
        audit(connection, by, "showcase", "", "none")
        return
    connection.execute(
        "INSERT INTO showcases VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET channel_id = excluded.channel_id, stars = excluded.stars",
        (by.guild_id, rule.channel_id, rule.stars),
    )
    audit(connection, by, "showcase", f"<#{rule.channel_id}>", f"{rule.stars} stars")


def _note_waiting(connection: sqlite3.Connection, job: Job, stars: int) -> bool:
    is_first = connection.execute(_ASKED, (job.requester_id,)).fetchone() is None
    connection.execute("INSERT INTO exhibits (job_id, stars) VALUES (?, ?) ON CONFLICT DO NOTHING", (job.job_id, stars))
    return is_first
