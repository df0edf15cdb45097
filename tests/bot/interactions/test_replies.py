"""One place answers whatever goes wrong behind a press or a form."""

from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import discord
import pytest

from bot.errors import Refused
from bot.interactions import replies
from bot.interactions.replies import answered

VIEWS = Path(__file__).parents[3] / "bot" / "views"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refused("refused-unknown-job"), "Dieser Knopf gehört zu einem Auftrag"),
        (RuntimeError("a secret"), "Bei uns ging etwas schief."),
    ],
)
async def test_it_is_said_in_the_language_of_the_member(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    said: list[str] = []

    async def note(_: Any, words: str, **__: Any) -> None:
        said.append(words)

    monkeypatch.setattr(replies, "answer_privately", note)
    async with answered(create_autospec(discord.Interaction, instance=True, locale=discord.Locale.german)):
        raise error
    (words,) = said
    assert words.startswith(sentence)
    assert "a secret" not in words


def test_no_view_catches_everything_itself() -> None:
    assert [path.name for path in VIEWS.rglob("*.py") if "except Exception" in path.read_text(encoding="utf-8")] == []
