"""Which jobs name which input pictures. The files are in an `ImageStore` under the same hashes."""

import sqlite3
from datetime import datetime, timedelta
from typing import Final

from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Values, fetch_all, to_ms
from pipeline.protocol.inputs import Input

WANTED: Final = """
SELECT json_extract(input.value, '$.sha256') AS sha256
FROM expansions, json_each(expansions.jobs) AS job, json_each(job.value, '$.request.inputs') AS input
"""
"""Inputs of jobs that members were asked about."""
_WAITING: Final = f"{WANTED} WHERE started_at IS NULL"
"""Those that still wait for a confirmation. After it, the jobs themselves name their inputs."""
NAMED: Final = f"SELECT sha256 FROM inputs UNION {_WAITING}"  # noqa: S608 - ours
_NAMED_SINCE: Final = f"""
SELECT sha256 FROM inputs JOIN jobs USING (job_id)
WHERE created_at >= :since OR status IN ('queued', 'running') OR job_id IN (SELECT job_id FROM stars)
UNION {_WAITING}
"""  # noqa: S608 - ours
_OF_JOB: Final = "SELECT sha256 FROM inputs WHERE job_id = :job"

GAVE: Final = """
SELECT parent.job_id IS NULL OR parent.requester_id = :user OR (
    parent.requester_name <> '' AND NOT EXISTS (
        SELECT 1 FROM json_each(parent.request, '$.inputs') AS input
        WHERE json_extract(input.value, '$.sha256') = :sha256
    )
) AS gave
FROM inputs JOIN jobs USING (job_id) LEFT JOIN jobs AS parent ON parent.job_id = jobs.parent_job_id
WHERE inputs.sha256 = :sha256 AND jobs.requester_id = :user
ORDER BY jobs.job_id LIMIT 1
"""
"""Whether the first job of a member that names a picture does not have it from somebody else's job. Jobs of forgotten
members, which have no name, do not say any more what they were given."""


class InputRepository:
    """The table of inputs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(self) -> frozenset[str]:
        """Hashes that some job names, or that a member is asked about."""
        return _hashes(await self._database.fetch_all(NAMED))

    async def of_jobs(self) -> frozenset[str]:
        """Hashes that some job names."""
        return _hashes(await self._database.fetch_all("SELECT DISTINCT sha256 FROM inputs"))

    async def named_since(self, now: datetime, days: int) -> frozenset[str]:
        """Hashes that a job of the last `days` days, an open one or a starred one names."""
        return _hashes(await self._database.fetch_all(_NAMED_SINCE, {"since": to_ms(now - timedelta(days=days))}))

    async def gave(self, user_id: int, sha256: str) -> bool:
        """Whether a member gave this picture themselves; a job begun from another's has that one's pictures."""
        row = await self._database.fetch_one(GAVE, {"user": user_id, "sha256": sha256})
        return row is not None and bool(row["gave"])

    async def release(self, job_id: int) -> frozenset[str]:
        """Let a job name no inputs any more; returns the hashes that no other job names."""
        return await self._database.write(_release, job_id)


def insert_inputs(connection: sqlite3.Connection, job_id: int, inputs: tuple[Input, ...]) -> None:
    """Insert the inputs of a new job."""
    connection.executemany(
        "INSERT INTO inputs (job_id, input_index, role, sha256) VALUES (?, ?, ?, ?)",
        [(job_id, index, each.role, each.sha256) for index, each in enumerate(inputs)],
    )


def _release(connection: sqlite3.Connection, job_id: int) -> frozenset[str]:
    values: Values = {"job": job_id}
    released = _hashes(fetch_all(connection, _OF_JOB, values))
    connection.execute("DELETE FROM inputs WHERE job_id = :job", values)
    return _unnamed(connection, released)


def _unnamed(connection: sqlite3.Connection, hashes: frozenset[str]) -> frozenset[str]:
    return hashes - _hashes(fetch_all(connection, NAMED)) if hashes else hashes


def _hashes(rows: list[sqlite3.Row]) -> frozenset[str]:
    return frozenset(str(row["sha256"]) for row in rows)
