"""Where the tables hold ids of people, and how an id becomes a pseudonym."""

import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec

from bot.quotas.periods import period_end
from bot.store.cases import WARNING_LIFETIME
from bot.store.rows.wishes import AskedBy, Wish
from bot.store.sqlite.statements import Value, fetch_all, fetch_one, from_ms, sure, to_json, to_ms
from config.areas.quotas import Period

DELETED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stars": "created_at <= :at",
        # They have no time; those of somebody who has come back since are new.
        "user_settings": "NOT EXISTS (SELECT 1 FROM jobs WHERE requester_id = :user AND created_at > :at)",
        "expansions": "created_at <= :at",
        "hits": "created_at <= :at",
        "sheets": "created_at <= :at",
    }
)
"""Tables whose rows of a person are deleted by any wish, and which of them. Their id is `user_id`."""

_OLDER: Final = "created_at <= :at"
_REPLACED: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("jobs", "requester_id"): _OLDER,
        ("jobs", "cancel_requested_by"): _OLDER,
        ("ledger", "actor_id"): _OLDER,
        ("audit", "actor_id"): _OLDER,
        ("cases", "user_id"): _OLDER,
        ("cases", "decided_by"): _OLDER,
        ("warnings", "actor_id"): _OLDER,
        # Its counters are those of open jobs. Who has any has come back since.
        ("members", "user_id"): "queued = 0 AND running = 0",
    }
)
"""Columns with ids that become a pseudonym at once, and in which rows."""

IDENTIFIED: Final = frozenset(
    {
        *_REPLACED,
        *((table, "user_id") for table in DELETED),
        # These have statements of their own below.
        *((table, "user_id") for table in ("ledger", "pots", "blocks", "pauses", "warnings")),
        ("reports", "reporter_id"),
        ("quota_rules", "subject_id"),
        ("audit", "subject"),
        # It loses the id when nothing is held back any more.
        ("forgettings", "user_id"),
    }
)
"""Every column that names a person. A test compares it with the tables."""

_LEDGER: Final = """
UPDATE ledger SET user_id = :new, reason = NULL WHERE user_id = :user AND (
    created_at <= :at OR job_id IN (SELECT job_id FROM jobs WHERE requester_id = :user AND created_at <= :at)
)
"""
"""A job of before the wish may be settled after it."""
_AUDIT: Final = f"""
UPDATE audit SET subject = '<@' || :new || '>', reason = NULL WHERE subject = '<@' || :user || '>' AND {_OLDER}
"""  # noqa: S608 - ours
_REPORTS: Final = f"UPDATE reports SET reporter_id = :new, note = '' WHERE reporter_id = :user AND {_OLDER}"  # noqa: S608 - ours
_POTS: Final = """
UPDATE pots SET user_id = :new
WHERE user_id = :user AND period_start <= :at AND pot_id NOT IN (SELECT value FROM json_each(:held))
"""
_PERIODS: Final = """
SELECT pot_id, period, period_start FROM pots WHERE user_id = :user AND kind = 'period' AND period_start <= :at
"""
_BLOCKS: Final = (
    "UPDATE blocks SET user_id = :new, reason = NULL WHERE user_id = :user AND (:is_own = 0 OR until <= :now)"
)
_BLOCKED: Final = "SELECT EXISTS (SELECT 1 FROM blocks WHERE user_id = :user AND until > :now) AS is_blocked"
_PAUSES: Final = "DELETE FROM pauses WHERE user_id = :user AND (:is_own = 0 OR until <= :now)"
_PAUSED: Final = "SELECT EXISTS (SELECT 1 FROM pauses WHERE user_id = :user) AS is_paused"
_WARNINGS: Final = f"""
UPDATE warnings SET user_id = :new, reason = '' WHERE user_id = :user AND {_OLDER}
    AND (:is_own = 0 OR created_at <= :warned_before)
"""  # noqa: S608 - ours
_WARNED: Final = f"SELECT EXISTS (SELECT 1 FROM warnings WHERE user_id = :user AND {_OLDER}) AS is_warned"  # noqa: S608 - ours
_RULES: Final = """
UPDATE quota_rules SET subject_id = :new WHERE subject = 'user' AND subject_id = :user AND :is_own = 0
"""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person who becomes a pseudonym: the wish, the pseudonym, and the time zone in which periods end."""

    user_id: int
    pseudonym: int
    at: int
    is_own: bool
    time_zone: str

    @classmethod
    def of(cls, wish: Wish, time_zone: str) -> "Person":
        """The person of a wish, with a new random pseudonym below 0. The pool has the id 0."""
        is_own = wish.by is AskedBy.MEMBER
        pseudonym = -1 - secrets.randbits(62)
        return cls(user_id=wish.user_id, pseudonym=pseudonym, at=to_ms(wish.at), is_own=is_own, time_zone=time_zone)

    def values(self, now: datetime) -> dict[str, Value]:
        """Values for the statements."""
        return {
            "user": self.user_id,
            "new": self.pseudonym,
            "at": self.at,
            "is_own": self.is_own,
            "now": to_ms(now),
            "warned_before": to_ms(now - WARNING_LIFETIME),
        }


def replace_ids(connection: sqlite3.Connection, person: Person, now: datetime) -> bool:
    """Replace a person's id by the pseudonym in every table; returns whether some rows must wait.

    By a member's own wish, the pots of present periods wait for the end of the period, and blocks, pauses and
    warnings for theirs. A block for good and a quota rule about the member stay: they are a server's decisions,
    and end by its admins alone.
    """
    values = person.values(now)
    for statement in (_LEDGER, _AUDIT, _RULES, _REPORTS):
        connection.execute(statement, values)
    for (table, column), which in _REPLACED.items():
        connection.execute(f"UPDATE {table} SET {column} = :new WHERE {column} = :user AND {which}", values)  # noqa: S608 - ours
    return replace_held(connection, person, now)


def replace_held(connection: sqlite3.Connection, person: Person, now: datetime) -> bool:
    """Replace the id in those rows that need not wait any more; returns whether some still must."""
    values = person.values(now)
    held = [row["pot_id"] for row in fetch_all(connection, _PERIODS, values) if _lasts(row, person, now)]
    connection.execute(_POTS, {**values, "held": to_json(held)})
    for statement in (_BLOCKS, _PAUSES, _WARNINGS):
        connection.execute(statement, values)
    is_blocked = bool(sure(fetch_one(connection, _BLOCKED, values))["is_blocked"])
    is_warned = bool(sure(fetch_one(connection, _WARNED, values))["is_warned"])
    is_paused = bool(sure(fetch_one(connection, _PAUSED, values))["is_paused"])
    return bool(held) or is_blocked or is_paused or is_warned


def _lasts(row: sqlite3.Row, person: Person, now: datetime) -> bool:
    begun = from_ms(row["period_start"])
    return person.is_own and begun is not None and period_end(begun, Period(row["period"]), person.time_zone) > now
