"""What goes by itself: old words, old decisions, and what is known about servers that Easel left."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from bot.store.privacy.blanking import blank_jobs
from bot.store.rows.jobs import Job
from bot.store.rows.wishes import BlankedFor
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_all, to_ms

_AT_ONCE: Final = 500
"""Jobs that are blanked in one transaction, so that nobody waits long for the database."""
_OPEN: Final = "('queued', 'running')"
_OLD: Final = f"""
SELECT job_id FROM jobs WHERE blanked_for IS NULL AND created_at < ? AND status NOT IN {_OPEN}
    AND job_id NOT IN (SELECT job_id FROM stars)
ORDER BY created_at LIMIT {_AT_ONCE}
"""  # noqa: S608 - ours
_OF_SERVER: Final = f"""
SELECT job_id FROM jobs WHERE blanked_for IS NULL AND guild_id = ? AND status NOT IN {_OPEN} LIMIT {_AT_ONCE}
"""  # noqa: S608 - ours
_DECIDED: Final = "(SELECT case_id FROM cases WHERE decided_at < :before)"
_OLD_DECISIONS: Final = (
    "DELETE FROM warnings WHERE created_at < :before",
    f"DELETE FROM reports WHERE case_id IN {_DECIDED}",  # noqa: S608 - ours
    f"DELETE FROM cases WHERE case_id IN {_DECIDED}",  # noqa: S608 - ours
    "DELETE FROM hits WHERE created_at < :before",
    "DELETE FROM pauses WHERE until < :before",
)
DELETED: Final = (
    *("reports", "cases", "warnings", "blocks", "quota_rules", "channel_rules", "word_rules", "word_exceptions"),
    *("image_blocks", "reports_channels", "showcases", "expansions", "hits", "pauses", "sheets"),
)
"""Tables whose rows of a left server are deleted, in this order. Reports have no server; their cases have."""
KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "jobs": "blanked",
        "ledger": "sums stay",
        "pots": "sums stay",
        "members": "counters of the queue",
        "audit": "goes with its age",
        "servers": "knows that it was left, and so not again at the next start",
    }
)
"""The other tables that name a server, and why their rows stay."""
_KNOWN: Final = "SELECT guild_id FROM members WHERE guild_id <> 0 UNION SELECT guild_id FROM servers"
_LEFT: Final = """
INSERT INTO servers (guild_id, left_at) VALUES (?, ?)
ON CONFLICT DO UPDATE SET left_at = ifnull(left_at, excluded.left_at)
"""


class RetentionRepository:
    """Deletes by age, and remembers which servers were left."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def blank_old(self, before: datetime) -> int:
        """Take words and pictures out of jobs without a star that are older; returns their number."""
        return await self._blank(_OLD, to_ms(before), BlankedFor.AGE)

    async def drop_decisions(self, *, warned_before: datetime, decided_before: datetime) -> None:
        """Delete warnings, refused prompts and decided reports, and rows of the audit log, that are older."""
        await self._database.write(_drop_decisions, to_ms(warned_before), to_ms(decided_before))

    async def known_servers(self) -> frozenset[int]:
        """Servers in which Easel has or had members or decisions, and which it is not known to have left."""
        sql = f"SELECT guild_id FROM ({_KNOWN}) EXCEPT SELECT guild_id FROM servers WHERE left_at IS NOT NULL"  # noqa: S608 - ours
        return frozenset(int(row["guild_id"]) for row in await self._database.fetch_all(sql))

    async def leave(self, guild_id: int, now: datetime) -> None:
        """Remember that Easel left a server. The first time counts."""
        await self._database.change(_LEFT, (guild_id, to_ms(now)))

    async def come_back(self, guild_id: int) -> bool:
        """Forget that Easel left a server; returns whether it had."""
        sql = "UPDATE servers SET left_at = NULL WHERE guild_id = ? AND left_at IS NOT NULL"
        return await self._database.change(sql, (guild_id,)) > 0

    async def open_jobs(self, guild_id: int) -> list[Job]:
        """The open jobs of a server."""
        sql = f"SELECT * FROM jobs WHERE guild_id = ? AND status IN {_OPEN}"  # noqa: S608 - ours
        return [Job.from_row(row) for row in await self._database.fetch_all(sql, (guild_id,))]

    async def forget_left(self, before: datetime) -> int:
        """Delete what is known about servers that were left earlier; returns how many of their jobs were blanked."""
        sql = "SELECT guild_id FROM servers WHERE left_at < ?"
        left = [int(row["guild_id"]) for row in await self._database.fetch_all(sql, (to_ms(before),))]
        count = 0
        for guild_id in left:
            count += await self._blank(_OF_SERVER, guild_id, BlankedFor.SERVER)
            await self._database.write(_forget_server, guild_id)
        return count

    async def _blank(self, sql: str, value: int, why: BlankedFor) -> int:
        count = 0
        while found := await self._database.write(_blank_some, sql, value, why):
            count += found
        return count


def _blank_some(connection: sqlite3.Connection, sql: str, value: int, why: BlankedFor) -> int:
    job_ids = [int(row["job_id"]) for row in fetch_all(connection, sql, (value,))]
    blank_jobs(connection, job_ids, why)
    return len(job_ids)


def _drop_decisions(connection: sqlite3.Connection, warned_before: int, decided_before: int) -> None:
    for statement in _OLD_DECISIONS:
        change(connection, statement, {"before": warned_before})
    change(connection, "DELETE FROM audit WHERE created_at < ?", (decided_before,))


def _forget_server(connection: sqlite3.Connection, guild_id: int) -> None:
    for table in DELETED:
        which = "case_id IN (SELECT case_id FROM cases WHERE guild_id = ?)" if table == "reports" else "guild_id = ?"
        connection.execute(f"DELETE FROM {table} WHERE {which}", (guild_id,))  # noqa: S608 - ours
