"""Discord's markup: members' words look as typed, and Discord reads none in them; what Easel writes itself."""

import re
from datetime import datetime
from typing import Final

from bot.words import clean

MAX_SHOWN_PROMPT: Final = 300
MAX_ALT_TEXT: Final = 1_024
"""Discord's limit of characters for an attachment's description."""

# Discord accepts a backslash before any punctuation. `:` also stops links, `@` and `<` mentions, and `#` headings.
_MARKUP = re.compile(r"([\\*_~|`>#\-\[\]()<:@+.!&$^])")


def plain(words: str) -> str:
    """One line without invisible and reordering characters, since these could change how a prompt reads."""
    return " ".join(clean(words).split())


def shorten(words: str, length: int) -> str:
    """At most `length` characters. A cut text ends with an ellipsis."""
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def escape(words: str, length: int = MAX_SHOWN_PROMPT) -> str:
    """Words for a message: shortened, on one line, without markup, mentions, links or emoji codes."""
    return _MARKUP.sub(r"\\\1", shorten(plain(words), length))


def escape_into(words: str, room: int) -> str:
    """Escaped words, shortened so that the escaped text has at most `room` characters."""
    escaped = _MARKUP.sub(r"\\\1", plain(words))
    if len(escaped) <= room:
        return escaped
    cut = escaped[: room - 1]
    backslashes = len(cut) - len(cut.rstrip("\\"))
    # Half an escape would escape the ellipsis.
    return f"{cut[:-1] if backslashes % 2 else cut}…"


def alt_text(words: str) -> str:
    """Words for the description of an image."""
    return shorten(plain(words), MAX_ALT_TEXT)


def relative(moment: datetime) -> str:
    """A Discord timestamp that updates itself, such as "in 5 minutes"."""
    return f"<t:{int(moment.timestamp())}:R>"


def small(line: str) -> str:
    """A line in Discord's small print."""
    return f"-# {line}"
