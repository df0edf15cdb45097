"""The tables of a fresh file as text: `python -m tests.bot.store.sqlite.schema > docs/schema.sql`."""

import contextlib
import sqlite3
import sys

from bot.store.sqlite.migrating import migrate, newest_version

_STATEMENTS = """
SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'
ORDER BY tbl_name, type <> 'table', type, name
"""


def schema() -> str:
    """Each table with its indexes and triggers, by name, after every migration."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, 0)
        statements = [f"{sql};\n" for (sql,) in connection.execute(_STATEMENTS)]
    head = f"-- The tables of easel.db after its last migration, {newest_version()}. A test compares them.\n"
    return "\n".join([head, *statements])


if __name__ == "__main__":
    sys.stdout.write(schema())
