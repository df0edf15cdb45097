"""Typed helpers for statements on SQLite's connection, as steps of a transaction."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

Value = str | int | float | bytes | None
Values = Sequence[Value] | Mapping[str, Value]


def fetch_one(connection: sqlite3.Connection, sql: str, values: Values = ()) -> sqlite3.Row | None:
    """The first row of a query; None if there is none."""
    return connection.execute(sql, values).fetchone()


def fetch_all(connection: sqlite3.Connection, sql: str, values: Values = ()) -> list[sqlite3.Row]:
    """All rows of a query."""
    return connection.execute(sql, values).fetchall()


def change(connection: sqlite3.Connection, sql: str, values: Values = ()) -> int:
    """Run one statement; returns the number of changed rows."""
    return connection.execute(sql, values).rowcount


def sure(row: sqlite3.Row | None) -> sqlite3.Row:
    """The row of a statement with RETURNING or an aggregate, which always gives one.

    Raises:
        LookupError: there is no row.
    """
    if row is None:
        raise LookupError("The database gave no row where there is always one.")
    return row


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, the database's unit of time."""
    return round(moment.timestamp() * 1_000)


def from_ms(value: int | None) -> datetime | None:
    """An aware time in UTC, from milliseconds since 1970."""
    return None if value is None else datetime.fromtimestamp(value / 1_000, UTC)


def to_json(value: Any) -> str:
    """A value as JSON, which columns keep as text."""
    return msgspec.json.encode(value).decode()
