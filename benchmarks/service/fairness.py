"""The number of jobs that a member's single job waits for, after another member has queued hundreds."""

import asyncio
import statistics
from typing import Final

from benchmarks.report import Report
from benchmarks.running_bot import RunningBot, running_bot
from bot.store.sqlite.database import Database

QUEUED: Final = 500
TRIES: Final = 10
RUNNING: Final = 2
"""Most running jobs of one member, as in the default settings."""
GOAL: Final = 2
"""At most RUNNING jobs of the other member run already, and one round holds one job of each member."""

AHEAD: Final = """
SELECT mine.job_id, mine.started_at - mine.created_at AS waited_ms,
    (SELECT count(*) FROM jobs AS other
        WHERE other.requester_id <> mine.requester_id AND other.finished_at > mine.created_at
            AND other.started_at <= mine.started_at) AS ahead,
    (SELECT count(*) FROM jobs AS other
        WHERE other.requester_id <> mine.requester_id AND other.created_at < mine.created_at
            AND ifnull(other.started_at, mine.started_at + 1) > mine.started_at) AS overtaken
FROM jobs AS mine WHERE mine.requester_id = :user ORDER BY mine.job_id
"""


def run() -> Report:
    """Queue hundreds of jobs of one member, then ask for single jobs as another member."""
    return asyncio.run(_run())


async def _run() -> Report:
    async with running_bot(threads=2, running_per_user=RUNNING) as running:
        local = running.local
        for _ in range(QUEUED):
            await local.member.slash(local.channel, "imagine", prompt="one of hundreds", steps=2)
        for number in range(TRIES):
            await local.friend.slash(local.channel, "imagine", prompt=f"just one, {number}", steps=2)
            await local.wait_for_message(lambda message, number=number: _is_done(message, number), 120)
        rows = await _ahead(running)
    ahead = [int(row["ahead"]) for row in rows]
    return Report(
        name="fairness",
        goal=f"a single job waits for at most {GOAL} of the {QUEUED} queued before it",
        value=max(ahead),
        holds=max(ahead) <= GOAL,
        median=statistics.median(ahead),
        minimum=min(ahead),
        pairs=TRIES,
        detail={
            "overtaken_least": min(int(row["overtaken"]) for row in rows),
            "waited_s_median": statistics.median(row["waited_ms"] for row in rows) / 1_000,
        },
    )


def _is_done(message: dict[str, object], number: int) -> bool:
    shown = str(message["components"])
    return f"just one, {number}" in shown and "seed" in shown


async def _ahead(running: RunningBot) -> list[dict[str, int]]:
    database = await Database.open_to_read(running.database)
    rows = await database.fetch_all(AHEAD, {"user": running.local.friend.id})
    await database.close()
    return [{name: row[name] for name in row.keys()} for row in rows]  # noqa: SIM118 - a Row iterates its values
