"""Cleaning of typed text: it removes invisible characters, and those that a message, row or file cannot hold."""

import re
from typing import Any, Final, cast

# Single UTF-16 surrogates (which no encoding accepts), control characters, marks that reorder text or have no width,
# tags, and noncharacters.
_UNUSABLE: Final = re.compile(
    "[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e00ff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
_BLANK: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
"""Letters without a visible shape."""
# Joiners shape Arabic and Indic words and join emoji. Elsewhere they only hide in a word.
_JOINER: Final = re.compile("(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])")
_VARIANT: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_SEEN: Final = re.compile(rf"[^\s\u200c\u200d{_VARIANT}]")


def clean(words: str) -> str:
    """The cleaned text; empty if none of its characters is visible."""
    kept = _JOINER.sub("", _BLANK.sub(" ", _UNUSABLE.sub("", words)))
    return kept if _SEEN.search(kept) else ""


def clean_texts(value: Any) -> Any:
    """A value parsed from Discord's JSON, with each text in it cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: clean_texts(inner) for key, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [clean_texts(inner) for inner in cast("list[Any]", value)]
    return value
