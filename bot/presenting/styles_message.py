"""`/styles`, and the line for a style in every list."""

from collections.abc import Sequence
from typing import Final

from bot.presenting.escaping import escape, plain
from bot.presenting.texts import text
from pipeline.protocol.loras import EmbeddingEntry, Style

_MAX_LENGTH: Final = 1_800
"""Most characters of the list; Discord accepts 2,000 in a message."""


def style_line(style: Style) -> str:
    """A style's title and trigger words."""
    return plain(f"{style.title} ({', '.join(style.trigger_words)})" if style.trigger_words else style.title)


def styles_lines(styles: Sequence[Style]) -> str:
    """Styles with their tags, as many as fit into a message."""
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
