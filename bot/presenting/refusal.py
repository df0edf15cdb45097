"""The reason of a refusal in one sentence."""

from typing import Final

from bot.errors import Refused
from bot.presenting.escaping import escape, escape_into
from bot.presenting.texts import text

MAX_MESSAGE: Final = 2_000
"""Discord's limit of characters in a message."""
_OURS: Final = ("resets", "until")
"""Values that are our own timestamps. Escaping would break them."""


def sentence_of(refused: Refused, prompt: str | None = None) -> str:
    """The sentence of a refusal, with the member's prompt, so that the member can copy it."""
    sentence = text(refused.key, **{name: _safe(name, value) for name, value in refused.values.items()})
    if not prompt:
        return sentence
    room = MAX_MESSAGE - len(sentence) - 1 - len(text("your-prompt", prompt=""))
    return f"{sentence}\n{text('your-prompt', prompt=escape_into(prompt, room))}"


def _safe(name: str, value: str | int) -> str | int:
    """A value for a sentence; words that somebody typed are escaped."""
    return value if isinstance(value, int) or name in _OURS else escape(value)
