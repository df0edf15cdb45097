"""Statistics of a server's recent jobs, for its admins."""

from datetime import datetime
from typing import Final

import msgspec

from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import sure, to_ms

WAITS: Final = """
WITH waits AS (
    SELECT max(0, started_at - created_at) AS wait,
        row_number() OVER (ORDER BY started_at - created_at) AS place, count(*) OVER () AS total
    FROM jobs WHERE guild_id = :guild AND finished_at >= :since AND started_at IS NOT NULL
)
SELECT min(wait) FILTER (WHERE place * 100 >= total * 50) AS p50,
    min(wait) FILTER (WHERE place * 100 >= total * 95) AS p95
FROM waits
"""
"""Percentiles by nearest rank: the smallest wait that at least 50 or 95 of a hundred jobs did not exceed."""

ENDS: Final = """
SELECT count(*) AS ended,
    ifnull(sum(status = 'failed' AND ifnull(failure, '') NOT IN ('flagged', 'flagged-input')), 0) AS failed
FROM jobs WHERE guild_id = :guild AND finished_at >= :since
"""


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """A server's jobs that ended since a time; the waits are None if none of them had started."""

    ended: int
    failed: int
    wait_p50_s: float | None
    wait_p95_s: float | None


class StatisticsRepository:
    """Sums over a server's jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, guild_id: int, since: datetime) -> Recent:
        """The numbers of ended and failed jobs since a time, and percentiles of their waits."""
        values = {"guild": guild_id, "since": to_ms(since)}
        ends = sure(await self._database.fetch_one(ENDS, values))
        waits = sure(await self._database.fetch_one(WAITS, values))
        return Recent(
            ended=ends["ended"],
            failed=ends["failed"],
            wait_p50_s=_seconds(waits["p50"]),
            wait_p95_s=_seconds(waits["p95"]),
        )


def _seconds(value: int | None) -> float | None:
    return None if value is None else value / 1_000
