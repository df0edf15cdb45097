"""Notices about words that a small model does not know."""

import difflib
import re
from collections.abc import Sequence
from typing import Final

from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.wire.outputs import Notice

_MOST_NAMED: Final = 3
_MOST_OFFERED: Final = 6
_MAX_WORD: Final = 30
NO_KNOWN_WORD: Final = "notice-words-none"
"""Key of the notice that the model knows no word of the prompt."""
_NO_WORDS: Final = re.compile(r"<[^>]*>|\b(?:AND|BREAK)\b|__\w+__|:\s*[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
"""Tags, keywords of the prompt syntax, wildcards and weights."""
_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
BETWEEN: Final = frozenset(
    ("a", "an", "and", "as", "at", "by", "in", "it", "next", "of", "on", "the", "to", "while", "with")
)
"""Words of many vocabularies that show nothing by themselves."""
_SAY_NOTHING: Final = frozenset(
    (
        "very",
        "really",
        "please",
        "some",
        "just",
        "my",
        "your",
        "his",
        "her",
        "their",
        "our",
        "so",
        "too",
        "is",
        "are",
        "be",
        "it",
        "its",
        "this",
        "that",
        "there",
        "which",
        "for",
        "to",
        "by",
        "me",
        "i",
        "we",
        "you",
        "no",
        "not",
        "best",
        "quality",
        "masterpiece",
        "detailed",
        "highly",
        "cute",
        "nice",
        "beautiful",
    )
)
"""Words that people add to any prompt and that change no picture."""


def unknown_words(prompt: str, spec: ModelSpec, taught: Sequence[str] = ()) -> Notice | None:
    """A notice about the words that the model does not know, with words that it knows; None if it knows all.

    Args:
        prompt: the prompt, in A1111's syntax.
        spec: the model; one without a vocabulary knows every word.
        taught: words and phrases from the prompt's styles.
    """
    vocabulary = spec.vocabulary
    if vocabulary is None:
        return None
    words = [word for word in _words(prompt) if not word.isdecimal()]
    known_words = vocabulary.words | {word.casefold() for phrase in taught for word in _WORD.findall(phrase)}
    strange = [word for word in words if word not in known_words and word not in _SAY_NOTHING]
    if not known_words & {*words} - BETWEEN:
        known = ", ".join(_offered(strange, vocabulary.things))
        return Notice(key=NO_KNOWN_WORD, values={"model": spec.title, "known": known})
    if not strange:
        return None
    return Notice(
        key="notice-words-unknown",
        values={
            "model": spec.title,
            "words": ", ".join(word[:_MAX_WORD] for word in strange[:_MOST_NAMED]),
            "count": len(strange),
            "known": ", ".join(_offered(strange, vocabulary.things)),
        },
    )


def drawn_alike(prompt: str, spec: ModelSpec) -> Notice | None:
    """A notice if the model draws this prompt alike from every seed, as its vocabulary says; otherwise None."""
    vocabulary = spec.vocabulary
    if vocabulary is None or "<" in prompt:
        return None
    known = {*_words(prompt)} & vocabulary.words
    if known <= BETWEEN or not known <= vocabulary.alike:
        return None
    return Notice(key="notice-alike", values={"model": spec.title})


def _words(prompt: str) -> list[str]:
    """The words of a prompt, lower-case, each once, without prompt syntax."""
    return [*dict.fromkeys(map(str.casefold, _WORD.findall(_NO_WORDS.sub(" ", prompt.replace("\\", "")))))]


def _offered(strange: Sequence[str], things: Sequence[str]) -> list[str]:
    """Words similar to the unknown ones, then a selection from the whole list."""
    near = [
        name for word in strange[:_MOST_NAMED] for name in difflib.get_close_matches(word, things, n=2, cutoff=0.75)
    ]
    step = max(1, len(things) // _MOST_OFFERED)
    return list(dict.fromkeys([*near, *things[::step]]))[:_MOST_OFFERED]
