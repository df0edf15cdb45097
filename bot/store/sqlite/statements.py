"""Statements on SQLite's connection, as the steps of a transaction use them: their rows have a type."""

import sqlite3
from collections.abc import Mapping, Sequence

Value = str | int | float | bytes | None
Values = Sequence[Value] | Mapping[str, Value]


def fetch_one(connection: sqlite3.Connection, sql: str, values: Values = ()) -> sqlite3.Row | None:
    """The first row of a query, or None."""
    return connection.execute(sql, values).fetchone()


def fetch_all(connection: sqlite3.Connection, sql: str, values: Values = ()) -> list[sqlite3.Row]:
    """Every row of a query."""
    return connection.execute(sql, values).fetchall()


def change(connection: sqlite3.Connection, sql: str, values: Values = ()) -> int:
    """Run one statement; how many rows it changed."""
    return connection.execute(sql, values).rowcount


def sure(row: sqlite3.Row | None) -> sqlite3.Row:
    """A row that a statement with RETURNING or an aggregate always gives."""
    if row is None:
        raise LookupError("The database gave no row where there is always one.")
    return row
