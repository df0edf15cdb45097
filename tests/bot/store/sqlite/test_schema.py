"""The written schema is that of a fresh file."""

from pathlib import Path

from tests.bot.store.sqlite.schema import schema

SCHEMA = Path(__file__).parents[4] / "docs" / "schema.sql"


def test_the_written_schema_is_true() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema(), "run `just schema`"
