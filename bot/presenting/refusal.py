"""Why something was refused, in one sentence."""

from typing import Final

from bot.errors import Refused
from bot.presenting.escaping import escape, escape_into
from bot.presenting.texts import text

MAX_MESSAGE: Final = 2_000
"""Discord's limit of characters for a message."""
_OURS: Final = ("resets", "until")
"""Values that are timestamps of ours and must stay as they are."""


def sentence_of(refused: Refused, prompt: str | None = None) -> str:
    """The sentence of a refusal, with the member's prompt so that nothing must be typed again."""
    sentence = text(refused.key, **{name: _safe(name, value) for name, value in refused.values.items()})
    if not prompt:
        return sentence
    room = MAX_MESSAGE - len(sentence) - 1 - len(text("your-prompt", prompt=""))
    return f"{sentence}\n{text('your-prompt', prompt=escape_into(prompt, room))}"


def _safe(name: str, value: str | int) -> str | int:
    """Escape what somebody typed."""
    return value if isinstance(value, int) or name in _OURS else escape(value)
