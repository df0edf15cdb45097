"""The vendored table of look-alike characters is what its recipe writes."""

from pathlib import Path

from recipes.confusables.table import table

ROOT = Path(__file__).parents[2]


def test_the_vendored_table_is_the_recipes() -> None:
    assert (ROOT / "bot/safety/words/confusables.txt").read_text(encoding="utf-8") == table()
