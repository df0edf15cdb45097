"""All that the tables say about one person, without the ids of others."""

import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from bot.store.inputs import GAVE
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import fetch_all, fetch_one, sure

_QUERIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "jobs": """
            SELECT job_id, started_by, parent_job_id, guild_id, channel_id, message_id, requester_name, role_ids,
                locale, request, defaults, model_key, notices, price, status, failure, created_at, started_at,
                finished_at
            FROM jobs WHERE requester_id = :user ORDER BY job_id
        """,
        "pictures": """
            SELECT job_id, output_index, outputs.kind, sha256, media_type, width, height, seed, rating
            FROM outputs JOIN jobs USING (job_id) WHERE requester_id = :user ORDER BY job_id, output_index
        """,
        "ledger": """
            SELECT job_id, kind, guild_id, reserved, captured, released, granted, adjusted, reason, created_at
            FROM ledger WHERE user_id = :user ORDER BY entry_id
        """,
        "quotas": """
            SELECT guild_id, kind, period, period_start, amount, expires_at, held, spent
            FROM pots WHERE user_id = :user ORDER BY pot_id
        """,
        "quota_rules": """
            SELECT guild_id, amount, period FROM quota_rules WHERE subject = 'user' AND subject_id = :user
        """,
        "settings": "SELECT defaults, is_told FROM user_settings WHERE user_id = :user",
        "stars": "SELECT job_id, created_at FROM stars WHERE user_id = :user ORDER BY created_at",
        "questions": """
            SELECT guild_id, channel_id, started_by, jobs, plan, created_at FROM expansions WHERE user_id = :user
        """,
        "sheets": "SELECT guild_id, message_id, plan, jobs, created_at FROM sheets WHERE user_id = :user",
        "blocks": "SELECT guild_id, until, reason FROM blocks WHERE user_id = :user",
        "pauses": "SELECT guild_id, until FROM pauses WHERE user_id = :user",
        "warnings": "SELECT guild_id, reason, created_at FROM warnings WHERE user_id = :user ORDER BY warning_id",
        "refusals": """
            SELECT guild_id, whose, rule, word, part, prompt, request, created_at FROM hits
            WHERE user_id = :user ORDER BY hit_id
        """,
        "reports": "SELECT job_id, reason, note, created_at FROM reports WHERE reporter_id = :user ORDER BY created_at",
        "cases": """
            SELECT kind, guild_id, job_id, outcome, created_at, decided_at FROM cases
            WHERE user_id = :user ORDER BY case_id
        """,
        "decisions": """
            SELECT guild_id, action, detail, reason, created_at FROM audit
            WHERE subject = '<@' || :user || '>' ORDER BY audit_id
        """,
    }
)
"""Tables of an export. Nobody else's id is in them: not who decided, who reported or who starred."""
_JSON: Final = frozenset({"role_ids", "request", "defaults", "notices", "jobs", "plan"})
"""Columns that hold JSON."""
_GIVEN: Final = "SELECT DISTINCT sha256 FROM inputs JOIN jobs USING (job_id) WHERE requester_id = :user"
_COUNTS: Final = """
SELECT
    (SELECT count(*) FROM jobs WHERE requester_id = :user AND blanked_for IS NULL) AS jobs,
    (SELECT count(*) FROM outputs JOIN jobs USING (job_id) WHERE requester_id = :user AND blanked_for IS NULL)
        AS pictures,
    (SELECT count(DISTINCT sha256) FROM inputs JOIN jobs USING (job_id) WHERE requester_id = :user) AS given,
    (SELECT count(*) FROM stars WHERE user_id = :user) AS stars,
    (SELECT count(*) FROM user_settings WHERE user_id = :user) AS settings,
    (SELECT count(*) FROM ledger WHERE user_id = :user) AS entries,
    (SELECT count(*) FROM audit WHERE subject = '<@' || :user || '>')
        + (SELECT count(*) FROM warnings WHERE user_id = :user)
        + (SELECT count(*) FROM hits WHERE user_id = :user)
        + (SELECT count(*) FROM blocks WHERE user_id = :user)
        + (SELECT count(*) FROM cases WHERE user_id = :user) AS decisions,
    (SELECT count(*) FROM reports WHERE reporter_id = :user) AS reports
"""


class OwnCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept about a person: numbers of rows."""

    jobs: int
    pictures: int
    given: int
    stars: int
    settings: int
    entries: int
    decisions: int
    reports: int


class OwnData(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept about a person: rows by table, and hashes of the pictures that they gave."""

    tables: dict[str, list[dict[str, Any]]]
    given: tuple[str, ...]


class OwnDataRepository:
    """Reads what is kept about a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, user_id: int) -> OwnCounts:
        """How much is kept."""
        row = sure(await self._database.fetch_one(_COUNTS, {"user": user_id}))
        return OwnCounts(**dict(row))

    async def all(self, user_id: int) -> OwnData:
        """All of it, at one moment."""
        return await self._database.read(_read, user_id)


def _read(connection: sqlite3.Connection, user_id: int) -> OwnData:
    values = {"user": user_id}
    tables = {name: [_plain(row) for row in fetch_all(connection, sql, values)] for name, sql in _QUERIES.items()}
    named = [str(row["sha256"]) for row in fetch_all(connection, _GIVEN, values)]
    given = [sha256 for sha256 in named if _gave(connection, user_id, sha256)]
    return OwnData(tables=tables, given=tuple(given))


def _gave(connection: sqlite3.Connection, user_id: int, sha256: str) -> bool:
    row = fetch_one(connection, GAVE, {"user": user_id, "sha256": sha256})
    return row is not None and bool(row["gave"])


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    return {
        name: msgspec.Raw(str(row[name]).encode()) if name in _JSON and row[name] is not None else row[name]
        for name in row.keys()  # noqa: SIM118 - a row iterates over its values
    }
