"""Checks of the database's promises. Each check is a query for rows that must not exist."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from bot.store.sqlite.database import Database

CHECKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pots equal the sum of their postings": """
            SELECT pot_id FROM pots
            WHERE held <> (SELECT ifnull(sum(held), 0) FROM postings WHERE postings.pot_id = pots.pot_id)
                OR spent <> (SELECT ifnull(sum(spent), 0) FROM postings WHERE postings.pot_id = pots.pot_id)
        """,
        "a reservation is paid in full, from its own pots and once from the pool": """
            SELECT job_id FROM ledger JOIN postings USING (entry_id) JOIN pots USING (pot_id)
            WHERE ledger.kind = 'reserve' GROUP BY entry_id
            HAVING sum(iif(pots.kind = 'pool', 0, postings.held)) <> reserved
                OR sum(iif(pots.kind = 'pool', postings.held, 0)) NOT IN (0, reserved)
        """,
        "every job has one reserve row of its price": """
            SELECT job_id FROM jobs LEFT JOIN ledger USING (job_id)
            GROUP BY job_id HAVING ifnull(sum(iif(ledger.kind = 'reserve', reserved, 0)), -1) <> price
        """,
        "ended jobs are settled, open ones are not": """
            SELECT job_id FROM jobs
            WHERE (status IN ('queued', 'running'))
                = EXISTS (SELECT 1 FROM ledger WHERE ledger.job_id = jobs.job_id AND ledger.kind = 'settle')
        """,
        "only delivered jobs are charged": """
            SELECT job_id FROM jobs JOIN ledger USING (job_id)
            WHERE ledger.kind = 'settle' AND captured > 0 AND status <> 'succeeded'
        """,
        "what is held belongs to open jobs": """
            SELECT pot_id FROM pots WHERE held <> (
                SELECT ifnull(sum(postings.held), 0) FROM postings JOIN ledger USING (entry_id) JOIN jobs USING (job_id)
                WHERE postings.pot_id = pots.pot_id AND ledger.kind = 'reserve' AND status IN ('queued', 'running')
            )
        """,
        "members' counters equal their jobs": """
            SELECT user_id FROM members
            WHERE queued <> (SELECT count(*) FROM jobs WHERE jobs.guild_id = members.guild_id
                    AND requester_id = user_id AND status = 'queued')
                OR running <> (SELECT count(*) FROM jobs WHERE jobs.guild_id = members.guild_id
                    AND requester_id = user_id AND status = 'running')
                OR head_key IS NOT (SELECT min(queue_key) FROM jobs WHERE jobs.guild_id = members.guild_id
                    AND requester_id = user_id AND status = 'queued' AND message_id IS NOT NULL)
        """,
        "every open job has a place and a member": """
            SELECT job_id FROM jobs LEFT JOIN members ON members.guild_id = jobs.guild_id AND user_id = requester_id
            WHERE status IN ('queued', 'running') AND (queue_key IS NULL OR user_id IS NULL)
        """,
        "the queue's counters equal the queue": """
            SELECT 1 WHERE (SELECT ifnull(sum(waiting), 0) FROM queue_counts WHERE shift = 0)
                    <> (SELECT count(*) FROM jobs WHERE status = 'queued')
                OR EXISTS (SELECT 1 FROM digits WHERE shift > 0 AND (
                    SELECT ifnull(sum(waiting), 0) FROM queue_counts WHERE queue_counts.shift = digits.shift
                ) <> (SELECT ifnull(sum(waiting), 0) FROM queue_counts WHERE shift = 0))
                OR (SELECT ifnull(sum(expected_ms), 0) FROM queue_counts WHERE shift = 0)
                    <> (SELECT ifnull(sum(expected_ms), 0) FROM jobs WHERE status = 'queued')
        """,
        "no reference leads nowhere": "SELECT * FROM pragma_foreign_key_check",
        "the file is sound": "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    }
)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check: the promise, the number of rows that break it, and the first few of them."""

    promise: str
    broken: int
    examples: tuple[str, ...]


async def check(database: Database) -> list[Finding]:
    """Run all checks in order. This reads the whole file."""
    findings: list[Finding] = []
    for promise, sql in CHECKS.items():
        rows = await database.fetch_all(sql)
        examples = tuple(str(row[0]) for row in rows[:5])
        findings.append(Finding(promise=promise, broken=len(rows), examples=examples))
    return findings
