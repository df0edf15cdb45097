"""Glyphs of a text: as it looks, with signs that are drawn together as one letter, and turned upside down."""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from bot.safety.words.characters import (
    DRAWN,
    EITHER,
    SEVERAL_PATTERN,
    TURNED,
    Glyph,
    glyphs,
    is_letter,
    is_turned,
    turned,
)
from bot.safety.words.signs import SEVERAL


class Seen(NamedTuple):
    """A glyph and the index of its character in the text."""

    glyph: Glyph
    place: int


def seen(text: str) -> list[Seen]:
    """The glyphs of a text, with `Il` for a capital I between small letters and a small l between capitals."""
    found: list[Seen] = []
    for place, character in enumerate(text):
        if _is_either(text, place, character):
            found.append(Seen(Glyph(EITHER, "LATIN"), place))
        else:
            found.extend(Seen(glyph, place) for glyph in glyphs(_with_mark(text, place, character)))
    return found


def _with_mark(text: str, place: int, character: str) -> str:
    """A character with the mark that follows it, where the two are one character, as in `o` and U+0308."""
    following = text[place + 1 : place + 2]
    if not following or following.isascii() or not unicodedata.combining(following):
        return character
    composed = unicodedata.normalize("NFC", character + following)
    return composed if len(composed) == 1 else character


def _is_either(text: str, place: int, character: str) -> bool:
    if character not in "Il":
        return False
    before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    if character == "I":
        return after.islower() or (before.islower() and not after.isalpha())
    return before.isupper() and after.isupper()


def drawn_together(found: Iterable[Seen], text: str) -> list[Seen]:
    """The glyphs of a text in which signs that are drawn as one letter are that letter."""
    matches = {match.start(): match for match in SEVERAL_PATTERN.finditer(text)}
    covered = {place for match in matches.values() for place in range(match.start() + 1, match.end())}
    return [
        Seen(Glyph(f"{DRAWN}{SEVERAL[matches[one.place][0].casefold()]}", "LATIN"), one.place)
        if one.place in matches
        else one
        for one in found
        if one.place not in covered
    ]


def upside_down(text: str) -> list[Seen]:
    """The glyphs of a text that is turned by half a circle; none if none of its letters is."""
    if not any(map(is_turned, text)):
        return []
    return [
        Seen(Glyph(f"{TURNED}{glyph.key}", glyph.script) if is_letter(glyph) else glyph, place)
        for place in range(len(text) - 1, -1, -1)
        for glyph in glyphs(turned(text[place].casefold()[:1]))
    ]
