"""What people type, without what no message, row or file can hold and nobody can see."""

import re
from typing import Any, Final, cast

# Half of a pair of UTF-16 (which no encoding takes), control characters, marks that reorder text or take no room, tags,
# and code points that stand for nothing.
_UNUSABLE: Final = re.compile(
    "[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e00ff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
_BLANK: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
"""Letters that are drawn as nothing."""
# Joiners shape Arabic and Indic words and put emoji together; anywhere else they only hide in a word.
_JOINER: Final = re.compile("(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])")
_VARIANT: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_SEEN: Final = re.compile(rf"[^\s\u200c\u200d{_VARIANT}]")


def clean(words: str) -> str:
    """The same words; nothing at all where none of their characters can be seen."""
    kept = _JOINER.sub("", _BLANK.sub(" ", _UNUSABLE.sub("", words)))
    return kept if _SEEN.search(kept) else ""


def clean_texts(value: Any) -> Any:
    """What Discord handed over, as it was parsed from JSON, with every text in it cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: clean_texts(inner) for key, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [clean_texts(inner) for inner in cast("list[Any]", value)]
    return value
