"""Sounds: the Latin letters by which words in Cyrillic, Greek and kana are written.

A sound is one place of a word: any of some letters, or none where it is optional. So `х` is h, kh or x, and
`банана` and `バナナ` are read as banana.
"""

import functools
import re
import unicodedata
from typing import Final, NamedTuple


class Sound(NamedTuple):
    """One place of a word.

    Attributes:
        letters: the letters of which any may stand there; the first is the usual one.
        is_optional: whether none may stand there.
    """

    letters: str
    is_optional: bool = False


def _table(entries: str) -> dict[str, str]:
    return dict(entry.split(":") for entry in entries.split())


# A letter, then its sounds, of which each is a group of letters; `?` follows an optional one.
_CYRILLIC: Final = _table(
    "а:a б:b в:vw г:gh ґ:g д:d е:e ё:eo ж:zjg,h? з:zs и:iey,e? й:yij к:c?,kc л:l м:m н:n о:o п:p р:r с:sc "
    "т:t у:uow,o? ф:fp,h? х:k?,hx ц:t?,scz ч:t?,c,h? ш:s,h? щ:s,h?,c?,h? ъ: ы:yi ь: э:ea ю:yji?,u "
    "я:yji?,a і:i ї:iy є:y?,e ў:wu ј:jy љ:l,j? њ:n,j? џ:dj,z? ђ:d,j? ћ:c"
)
_GREEK: Final = _table(
    "α:a β:bv γ:gy δ:d ε:e ζ:z η:ih θ:t,h? ι:i κ:c?,kc λ:l μ:m ν:n ξ:kx,s? ο:o π:p ρ:r σ:s ς:s τ:t υ:uyi "
    "φ:fp,h? χ:ck?,hx ψ:p,s ω:o"
)
_GROUPS: Final = _table("кс:c?,kcx/s? дж:d?/jgz,h? μπ:m?/bp ντ:n?/dt γκ:n?/g,g? γγ:n?/g,g? ου:o?/u τζ:td?/zj")
"""Two letters that sound otherwise together than apart."""
_KANA: Final = re.compile(r"(?:HIRAGANA|KATAKANA) LETTER (SMALL )?(?:([BCDFGHJKMNPRSTVWYZ]*)([AIUEO])|(N))")
_CONSONANTS: Final = _table("k:c?,kc s:sc,h? t:tc,hs? h:hf z:zj r:rl b:bv n:nm g:g d:d m:m p:p y:y w:w v:v :")


@functools.cache
def _read(notation: str) -> tuple[Sound, ...]:
    return tuple(Sound(group.rstrip("?"), group.endswith("?")) for group in notation.split(",") if group)


@functools.lru_cache(4096)
def sounds(key: str, following: str = "", before: str = "") -> tuple[Sound, ...] | None:
    """Sounds of a letter, by the letters that follow it and come before it; None if the letter has none here."""
    if len(key) > 1:
        return None  # a letter that is drawn with signs
    if group := _GROUPS.get(key + following):
        return _read(group.partition("/")[0])
    if group := _GROUPS.get(before + key):
        return _read(group.partition("/")[2])
    notation = _CYRILLIC.get(key, _GREEK.get(key))
    if notation is not None:
        return _read(notation)
    if key == "ー":
        return ()
    kana = _KANA.fullmatch(unicodedata.name(key, ""))
    return _of_kana(kana) if kana else None


def _of_kana(kana: re.Match[str]) -> tuple[Sound, ...]:
    """Sounds of a syllable. Its vowel is optional: `ド` ends words that end with d."""
    small, consonant, vowel, nasal = kana.groups()
    if nasal:
        return (Sound("nm"),)
    if small and consonant == "T":
        return ()  # it doubles the consonant that follows
    letters = _CONSONANTS[consonant.casefold()] if consonant.casefold() in _CONSONANTS else consonant.casefold()
    return (*_read(letters), Sound(vowel.casefold(), is_optional=bool(consonant) and vowel in "UOI"))


def spelled(word: str) -> str:
    """A word in the Latin letters that it is usually written with; "" if it has a letter that has no sounds here."""
    letters: list[str] = []
    for place, letter in enumerate(word):
        found = sounds(letter, word[place + 1 : place + 2], word[place - 1 : place] if place else "")
        if found is None:
            return ""
        letters.extend(_usual(letter, found))
    return "".join(letters)


def _usual(letter: str, found: tuple[Sound, ...]) -> list[str]:
    # Of the optional sounds, those are usual that tell ж from з, ш from с, ч from ц, х from г, ю from у, я from а.
    if letter in "жшчщюяθφχ":
        return [sound.letters[0] for sound in found if letter != "ч" or sound.letters != "t"]
    return [sound.letters[0] for sound in found if not sound.is_optional]
