"""`/styles`, and a style in one line wherever it is offered."""

from collections.abc import Sequence
from typing import Final

from bot.presenting.escaping import escape, plain
from bot.presenting.texts import text
from pipeline.protocol.loras import EmbeddingEntry, Style

_MAX_LENGTH: Final = 1_800
"""Characters of the list; Discord takes 2,000 in a message."""


def style_line(style: Style) -> str:
    """Its title, and the words that it answers to."""
    return plain(f"{style.title} ({', '.join(style.trigger_words)})" if style.trigger_words else style.title)


def styles_lines(styles: Sequence[Style]) -> str:
    """Every style with its tag, as many as a message holds."""
    if not styles:
        return text("refused-no-styles")
    lines = [text("styles-head")]
    for number, style in enumerate(styles):
        is_negative = isinstance(style, EmbeddingEntry) and style.is_negative
        key = "styles-row-negative" if is_negative else "styles-row"
        line = text(key, style=escape(style_line(style)), tag=escape(style.tag))
        if sum(map(len, lines)) + len(lines) + len(line) > _MAX_LENGTH:
            return "\n".join([*lines, text("styles-more", count=len(styles) - number)])
        lines.append(line)
    return "\n".join(lines)
