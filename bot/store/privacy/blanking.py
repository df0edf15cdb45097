"""Takes the words and pictures out of jobs, inside a caller's transaction. What is left has no text and no file."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from bot.store.inputs import GAVE, NAMED, WANTED
from bot.store.rows.wishes import BlankedFor
from bot.store.sqlite.statements import Value, fetch_all, fetch_one, to_json
from pipeline.protocol.request_fields import PRIVATE

_EMPTY: Final = ", ".join(f"'$.{name}', json('{to_json(kind())}')" for name, kind in PRIVATE.items())
"""Paths and values of private fields: each gets the empty value of its type."""
_THESE: Final = "job_id IN (SELECT value FROM json_each(:jobs))"
MOST_FAREWELLS: Final = 500
"""Most messages of one wish that get a placeholder, the newest."""

_FAREWELLS: Final = f"""
INSERT OR IGNORE INTO farewells
SELECT job_id, locale FROM jobs WHERE {_THESE} AND blanked_for IS NULL AND message_id IS NOT NULL
ORDER BY job_id DESC LIMIT {MOST_FAREWELLS}
"""  # noqa: S608 - ours
_BLANK: Final = f"""
UPDATE jobs SET request = json_replace(request, {_EMPTY}), notices = '[]', defaults = '{{}}', requester_name = '',
    locale = '', role_ids = '[]', blanked_for = ifnull(blanked_for, :why)
WHERE {_THESE}
"""  # noqa: S608 - names of our fields
_REMOVE_OUTPUTS: Final = f"""
INSERT OR IGNORE INTO removals SELECT 'images', sha256 FROM outputs WHERE {_THESE}
EXCEPT SELECT 'images', sha256 FROM outputs JOIN jobs USING (job_id) WHERE blanked_for IS NULL
"""  # noqa: S608 - ours
_REMOVE_INPUTS: Final = "INSERT OR IGNORE INTO removals SELECT 'inputs', value FROM json_each(:hashes)"
_INPUTS: Final = f"SELECT DISTINCT sha256 FROM inputs WHERE {_THESE}"  # noqa: S608 - ours
_NAMERS: Final = f"""
SELECT DISTINCT requester_id FROM inputs JOIN jobs USING (job_id) WHERE sha256 = :sha256 AND NOT {_THESE}
"""  # noqa: S608 - ours
_WANTED_BY_GIVER: Final = f"SELECT 1 FROM ({WANTED} WHERE lineage = 'null') WHERE sha256 = :sha256 LIMIT 1"  # noqa: S608 - ours
"""Whether somebody is asked about a job with this picture that is not begun from another job."""


def blank_jobs(
    connection: sqlite3.Connection, job_ids: Sequence[int], why: BlankedFor, *, given: frozenset[str] = frozenset()
) -> None:
    """Take words and pictures out of ended jobs. The rows of `removals` name the files that must go.

    A finished picture goes with every star. A picture that a forgotten member gave also goes from the jobs of others
    that were begun from theirs; it stays for whoever gave the same picture themselves.

    Args:
        connection: the transaction.
        job_ids: the jobs.
        why: why they lose them.
        given: hashes of pictures that the member gave, and that no job names.
    """
    values: dict[str, Value] = {"jobs": to_json(job_ids), "why": why}
    is_wish = why is BlankedFor.MEMBER
    named = given | {str(row["sha256"]) for row in fetch_all(connection, _INPUTS, values)}
    # This comes before the words go, since they say who gave what.
    others = {sha256 for sha256 in named if _is_given_by_another(connection, sha256, values)} if is_wish else set[str]()
    if is_wish:
        connection.execute(_FAREWELLS, values)
    connection.execute(_BLANK, values)
    for table in ("inputs", "stars"):
        connection.execute(f"DELETE FROM {table} WHERE {_THESE}", values)  # noqa: S608 - ours
    connection.execute(_REMOVE_OUTPUTS, values)
    kept = others if is_wish else {str(row["sha256"]) for row in fetch_all(connection, NAMED)}
    connection.execute(_REMOVE_INPUTS, {"hashes": to_json([*(named - kept)])})


def _is_given_by_another(connection: sqlite3.Connection, sha256: str, values: dict[str, Value]) -> bool:
    """Whether a member of another job gave this picture too, and does not only have it from one of these jobs."""
    values = {**values, "sha256": sha256}
    if fetch_one(connection, _WANTED_BY_GIVER, values) is not None:
        return True
    return any(
        gave["gave"]
        for row in fetch_all(connection, _NAMERS, values)
        if (gave := fetch_one(connection, GAVE, {"user": row["requester_id"], "sha256": sha256})) is not None
    )
