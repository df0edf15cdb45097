"""A member's finished pictures, newest first.

Words are looked for in the member's own rows, without an index of words: 100,000 jobs take a quarter of a second, and
nothing more must be forgotten with a person (decision 29).
"""

import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.store.rows.history import Past, Shelf, Sought, Spot
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Value, fetch_all, to_ms

_FITS: Final = "easel_fits"
_STARRED: Final = "EXISTS (SELECT 1 FROM stars WHERE stars.job_id = jobs.job_id AND stars.user_id = :user)"
_SHELVES: Final[Mapping[Shelf, str]] = MappingProxyType(
    {
        Shelf.OWN: "requester_id = :user",
        Shelf.STARRED: f"requester_id = :user AND {_STARRED}",
        Shelf.FAVOURITES: "jobs.job_id IN (SELECT job_id FROM stars WHERE user_id = :user)",
    }
)
_OLDER: Final = """
    AND (:job IS NULL OR created_at < (SELECT created_at FROM jobs WHERE job_id = :job)
        OR created_at = (SELECT created_at FROM jobs WHERE job_id = :job)
            AND (jobs.job_id < :job OR jobs.job_id = :job AND output_index > :index))
ORDER BY created_at DESC, jobs.job_id DESC, output_index
"""
_NEWER: Final = """
    AND (created_at > (SELECT created_at FROM jobs WHERE job_id = :job)
        OR created_at = (SELECT created_at FROM jobs WHERE job_id = :job)
            AND (jobs.job_id > :job OR jobs.job_id = :job AND output_index < :index))
ORDER BY created_at, jobs.job_id, output_index DESC
"""
MODELS: Final = "SELECT DISTINCT model_key FROM jobs WHERE requester_id = :user ORDER BY model_key"

GROWN_UP: Final = """
SELECT 1 FROM jobs WHERE requester_id = :user AND is_age_restricted = 1 AND status = 'succeeded' AND blanked_for IS NULL
UNION ALL SELECT 1 FROM stars JOIN jobs USING (job_id) WHERE user_id = :user AND is_age_restricted = 1
LIMIT 1
"""


def statement(shelf: Shelf, *, is_newer: bool) -> str:
    """The query for one side of a spot. What moderators removed or look at is not in it."""
    return f"""
        SELECT jobs.*, output_index, outputs.kind, sha256, media_type, size_bytes, width, height, outputs.seed, rating,
            {_STARRED} AS is_starred
        FROM jobs JOIN outputs USING (job_id)
        WHERE {_SHELVES[shelf]} AND status = 'succeeded' AND blanked_for IS NULL AND removed_at IS NULL
            AND ifnull(hold, 'allowed') = 'allowed' AND media_type LIKE 'image/%'
            AND (:adults OR is_age_restricted = 0)
            AND (:since IS NULL OR created_at >= :since) AND (:before IS NULL OR created_at < :before)
            AND {_FITS}(request ->> 'prompt', model_key)
            {_NEWER if is_newer else _OLDER}
        LIMIT :limit
    """  # noqa: S608 - ours


class HistoryRepository:
    """Looks for a member's finished pictures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def older(self, sought: Sought, spot: Spot | None, limit: int) -> list[Past]:
        """The pictures that come after a spot, or the newest, newest first."""
        return await self._database.read(_find, sought, spot, limit, is_newer=False)

    async def newer(self, sought: Sought, spot: Spot, limit: int) -> list[Past]:
        """The pictures that come before a spot, the nearest first."""
        return await self._database.read(_find, sought, spot, limit, is_newer=True)

    async def models(self, user_id: int) -> list[str]:
        """Keys of the models that drew for a member."""
        return [str(row["model_key"]) for row in await self._database.fetch_all(MODELS, {"user": user_id})]

    async def has_grown_up(self, user_id: int) -> bool:
        """Whether a member asked for pictures in age-restricted channels, or starred some of them."""
        return await self._database.fetch_one(GROWN_UP, {"user": user_id}) is not None


def _find(
    connection: sqlite3.Connection, sought: Sought, spot: Spot | None, limit: int, *, is_newer: bool
) -> list[Past]:
    # The database's thread runs one function at a time, so each search may have its own.
    connection.create_function(_FITS, 2, lambda prompt, key: sought.fits(prompt or "", key))
    values: dict[str, Value] = {
        "user": sought.user_id,
        "adults": sought.is_among_adults,
        "since": None if sought.since is None else to_ms(sought.since),
        "before": None if sought.before is None else to_ms(sought.before),
        "job": None if spot is None else spot.job_id,
        "index": None if spot is None else spot.index,
        "limit": limit,
    }
    return [
        Past(job=Job.from_row(row), output=Output.from_row(row), is_starred=bool(row["is_starred"]))
        for row in fetch_all(connection, statement(sought.shelf, is_newer=is_newer), values)
    ]
