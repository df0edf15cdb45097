"""Stars: members who keep a job's pictures."""

import sqlite3
from datetime import datetime
from typing import Final

from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, to_ms

KEPT: Final = "SELECT DISTINCT sha256 FROM outputs JOIN stars USING (job_id)"

OWN: Final = """
SELECT DISTINCT sha256 FROM outputs WHERE job_id = :job
EXCEPT SELECT sha256 FROM outputs JOIN stars USING (job_id)
EXCEPT SELECT sha256 FROM outputs WHERE job_id <> :job AND sha256 IN (SELECT sha256 FROM outputs WHERE job_id = :job)
"""
"""Files of a job without a star that no other job uses."""

ALL: Final = "SELECT DISTINCT sha256 FROM outputs WHERE job_id = ?"
NAMED: Final = "SELECT DISTINCT sha256 FROM outputs JOIN jobs USING (job_id) WHERE blanked_for IS NULL"
REMOVED: Final = "SELECT DISTINCT sha256 FROM outputs JOIN jobs USING (job_id) WHERE removed_at IS NOT NULL"


class StarRepository:
    """Stars, and the files that they protect."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def toggle(self, job_id: int, user_id: int, now: datetime) -> bool:
        """Set or remove a star; returns whether it is set now."""
        return await self._database.write(_toggle, job_id, user_id, now)

    async def has(self, job_id: int, user_id: int) -> bool:
        """Whether a member starred a job."""
        row = await self._database.fetch_one("SELECT 1 FROM stars WHERE job_id = ? AND user_id = ?", (job_id, user_id))
        return row is not None

    async def kept(self) -> frozenset[str]:
        """Hashes of all starred files."""
        return frozenset(str(row["sha256"]) for row in await self._database.fetch_all(KEPT))

    async def named(self) -> frozenset[str]:
        """Hashes of all files of jobs that still have their words."""
        return frozenset(str(row["sha256"]) for row in await self._database.fetch_all(NAMED))

    async def all_of(self, job_id: int) -> list[str]:
        """Hashes of a job's files, whoever keeps them."""
        return [str(row["sha256"]) for row in await self._database.fetch_all(ALL, (job_id,))]

    async def removed(self) -> list[str]:
        """Hashes of files that moderators removed."""
        return [str(row["sha256"]) for row in await self._database.fetch_all(REMOVED)]

    async def own(self, job_id: int) -> list[str]:
        """Hashes of a job's files that may be removed with it."""
        return [str(row["sha256"]) for row in await self._database.fetch_all(OWN, {"job": job_id})]


def _toggle(connection: sqlite3.Connection, job_id: int, user_id: int, now: datetime) -> bool:
    if change(connection, "DELETE FROM stars WHERE job_id = ? AND user_id = ?", (job_id, user_id)):
        return False
    connection.execute("INSERT INTO stars VALUES (?, ?, ?)", (job_id, user_id, to_ms(now)))
    return True
