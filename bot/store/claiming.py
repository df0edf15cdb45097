"""The statements that claim the next job."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.store.sqlite.statements import to_ms

_UNLIMITED_RUNNING: Final = 1_000_000

CLAIM: Final = """
UPDATE jobs SET status = 'running', attempt = attempt + 1, started_at = :now
WHERE job_id = (
    SELECT head_key & 0xFFFFFFFF FROM members
    WHERE head_key IS NOT NULL AND is_paused = 0 AND running - (
        SELECT count(*) FROM jobs WHERE jobs.guild_id = members.guild_id AND requester_id = members.user_id
            AND hold = 'held' AND status = 'running'
    ) < :per_user
    ORDER BY head_key LIMIT 1
)
RETURNING *
"""
"""Claim the first startable job. Each member is in line with their first job that has a message.

A job without a message may not be acknowledged: its member may not know of it, so it does not start. What moderators
look at runs no more, and does not count against its member.
"""

CLAIM_SOME: Final = """
UPDATE jobs SET status = 'running', attempt = attempt + 1, started_at = :now
WHERE job_id = (
    SELECT job_id FROM jobs JOIN members ON members.guild_id = jobs.guild_id AND user_id = requester_id
    WHERE jobs.status = 'queued' AND message_id IS NOT NULL AND queue_key IS NOT NULL AND is_paused = 0
        AND running - (
            SELECT count(*) FROM jobs AS held WHERE held.guild_id = members.guild_id
                AND held.requester_id = members.user_id AND held.hold = 'held' AND held.status = 'running'
        ) < :per_user
        AND (:models IS NULL OR model_key IN (SELECT value FROM json_each(:models)))
        AND job_id NOT IN (SELECT value FROM json_each(:without))
    ORDER BY queue_key LIMIT 1
)
RETURNING *
"""
"""Claim the first startable job that a free worker can draw. A member whose first job has to wait for its model is in
line with the next one. Only a fleet of unlike hosts needs this; it reads all waiting jobs."""


def claiming(
    *, running_per_user: int, now: datetime, models: frozenset[str] | None, without: frozenset[int]
) -> tuple[str, Mapping[str, int | str | None]]:
    """The statement for `QueueRepository.claim_next`, with its values."""
    values: dict[str, int | str | None] = {"now": to_ms(now), "per_user": running_per_user or _UNLIMITED_RUNNING}
    if models is None and not without:
        return CLAIM, values
    values["models"] = None if models is None else json.dumps(sorted(models))
    values["without"] = json.dumps(sorted(without))
    return CLAIM_SOME, values
