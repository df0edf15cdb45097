"""`python -m recipes.confusables` writes the vendored table anew."""

from pathlib import Path

from recipes.confusables.table import table

(Path(__file__).parents[2] / "bot/safety/words/confusables.txt").write_text(table(), encoding="utf-8")
