"""Member's words made harmless: shown as typed, and read by Discord as nothing but letters."""

import re
from datetime import datetime
from typing import Final

from bot.words import clean

MAX_SHOWN_PROMPT: Final = 300
MAX_ALT_TEXT: Final = 1_024
"""Discord's limit of characters for the description of an attachment."""

# Discord takes a backslash before any punctuation; `:` also stops links, `@` and `<` mentions, `#` headings.
_MARKUP = re.compile(r"([\\*_~|`>#\-\[\]()<:@+.!&$^])")


def plain(words: str) -> str:
    """One line without invisible or reordering characters, which could make a prompt show what it does not say."""
    return " ".join(clean(words).split())


def shorten(words: str, length: int) -> str:
    """At most `length` characters, the last of them an ellipsis where something was cut."""
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def escape(words: str, length: int = MAX_SHOWN_PROMPT) -> str:
    """Words for a message: shortened, on one line, without markup, mentions, links or emoji codes."""
    return _MARKUP.sub(r"\\\1", shorten(plain(words), length))


def escape_into(words: str, room: int) -> str:
    """The same, shortened to at most so many characters with all that is escaped."""
    escaped = _MARKUP.sub(r"\\\1", plain(words))
    if len(escaped) <= room:
        return escaped
    cut = escaped[: room - 1]
    backslashes = len(cut) - len(cut.rstrip("\\"))
    # An escape that was cut in two would take the ellipsis with it.
    return f"{cut[:-1] if backslashes % 2 else cut}…"


def alt_text(words: str) -> str:
    """Words for the description of an image."""
    return shorten(plain(words), MAX_ALT_TEXT)


def relative(moment: datetime) -> str:
    """A Discord timestamp that counts by itself, such as "in 5 minutes"."""
    return f"<t:{int(moment.timestamp())}:R>"
