"""Single characters: what is dropped, what counts as a letter, and which letters of a rule a character may stand for.

A letter stands for itself and for the letters that it looks like (Unicode Technical Standard 39, `confusables.txt`).
A sign or a digit may stand for a letter (`4` for a). It is never rewritten: `4k` stays `4k`.
"""

import enum
import functools
import re
import unicodedata
from typing import Final, NamedTuple

from bot.safety.words.signs import FURTHER, SEVERAL, SIGNS, SIGNS_OF_CYRILLIC, STANDARD, TURNED_LETTERS

MAX_EXPANSION: Final = 4
"""Most characters that one character becomes, and half of it beyond ASCII: some ligatures hold a sentence."""


class How(enum.StrEnum):
    """How a part of a prompt was read as the word of a rule."""

    PLAIN = "as written"
    LOOKS = "look-alike characters"
    SOUNDS = "letters of another script"
    SIGNS = "signs for letters"
    INSIDE = "signs inside the word"
    HIDDEN = "a sign that hides a letter"
    REPEATED = "repeated letters"
    APART = "letters apart"
    TURNED = "letters upside down"
    LANGUAGE = "the prompt language"


class Stand(NamedTuple):
    """A letter of a rule that a character may stand for.

    Attributes:
        letter: the letter.
        how: how it is read.
        min_letters: fewest letters of a rule to which this applies.
        is_weak: whether a word that is read only so is none.
    """

    letter: str
    how: How
    min_letters: int = 0
    is_weak: bool = False


class Glyph(NamedTuple):
    """A visible character of a text.

    Attributes:
        key: the character without case, width and marks; `ä`, `ö` and `ü` keep theirs.
        script: first word of its Unicode name if it is a letter; "" for a digit; " " for a blank; "." for a sign.
    """

    key: str
    script: str


DIGIT: Final = ""
BLANK: Final = " "
SIGN: Final = "."
UMLAUTS: Final = {"ä": "a", "ö": "o", "ü": "u"}
LONG: Final = 5
"""Letters of a rule from which readings are allowed that would find short words by chance."""
_LEAST_WITH_SIGNS: Final = 3
"""Letters of a rule from which signs may stand for letters."""
EITHER: Final = "Il"
"""Key of a character that may be a large i or a small l."""
OWN: Final = "="
"""Begins the key of a letter in the script of its whole text, which short rules read as itself."""
HEARD: Final = "~"
"""Begins a key that stands for any of the letters after it, as sounds."""
DRAWN: Final = "^"
"""Begins a key that stands for the letter after it, drawn with several signs."""
TURNED: Final = "v"
"""Begins a key that stands for the letter after it, upside down."""
UNSPACED: Final = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "THAI", "LAO", "KHMER", "MYANMAR", "HANGUL"}
)
"""Scripts that set no blanks between words, or join particles to them."""

# Characters that are not seen: Default_Ignorable_Code_Point of Unicode, and U+2800, which is a blank sign.
_UNSEEN: Final = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Marks above and below letters, and points of Hebrew and Arabic. Vowels of other scripts are marks too, and stay.
_MARK: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a"
    "\ufe20-\ufe2f]"
)
_NAMED: Final = re.compile(
    r"(?:.* )?(?:LATIN|SYMBOL) .*?LETTER "
    r"(?:SMALL CAPITAL |SCRIPT |OPEN |CLOSED |REVERSED |TAILLESS |BARRED )*([A-Z])(?: WITH .*)?"
)
SEVERAL_PATTERN: Final = re.compile(
    "|".join(re.escape(signs) for signs in sorted(SEVERAL, key=len, reverse=True)), re.IGNORECASE
)
"""Matches the signs of `SEVERAL`."""
HIDING: Final = frozenset("*#?_")
"""Signs that people write for a letter that they leave out."""


@functools.lru_cache(8192)
def glyphs(character: str) -> tuple[Glyph, ...]:
    """The visible characters that one character of a text stands for; none if it is not seen."""
    if character.isspace():
        return (Glyph(BLANK, BLANK),)
    if _UNSEEN.match(character) or unicodedata.category(character) in ("Cc", "Cs"):
        return ()
    if (digit := unicodedata.digit(character, None)) is not None:
        return (Glyph(str(digit), DIGIT),)
    found: list[Glyph] = []
    whole = unicodedata.normalize("NFKC", character)
    if whole != character and not whole.isascii() and character.casefold() in STANDARD:
        return (Glyph(character.casefold(), script_of(character)),)
    for one in whole[: MAX_EXPANSION if whole.isascii() else MAX_EXPANSION // 2]:
        found.extend(_folded(one))
    return tuple(found)


def _folded(character: str) -> list[Glyph]:
    """Glyphs of a character that is its own compatible form: without case, and without marks."""
    if character.isspace():
        return [Glyph(BLANK, BLANK)]
    lower = character.casefold()
    umlaut = unicodedata.normalize("NFC", unicodedata.normalize("NFD", lower)[:2])
    if umlaut in UMLAUTS:
        return [Glyph(umlaut, "LATIN")]
    script = script_of(character)
    if script in UNSPACED and lower.isalpha():
        # A syllable or a voiced kana stays one character. Hiragana is read as katakana, which sounds the same.
        return [Glyph(chr(ord(character) + 0x60) if "ぁ" <= character <= "ゖ" else character, script)]
    return [_glyph(one) for one in unicodedata.normalize("NFKD", lower) if not _MARK.match(one)]


def _glyph(character: str) -> Glyph:
    if character.isspace():
        return Glyph(BLANK, BLANK)
    if character.isdecimal():
        return Glyph(str(unicodedata.decimal(character)), DIGIT)
    if character.isalpha() or unicodedata.category(character)[0] == "M" or character in STANDARD:
        return Glyph(character, script_of(character))
    if named := _NAMED.fullmatch(unicodedata.name(character, "")):
        return Glyph(named[1].casefold(), "LATIN")
    return Glyph(character, SIGN)


@functools.lru_cache(8192)
def script_of(character: str) -> str:
    """Script of a letter: the first word of its Unicode name."""
    return unicodedata.name(character, "?").partition(" ")[0]


def is_letter(glyph: Glyph) -> bool:
    """Whether a glyph is a letter or a digit."""
    return glyph.script not in (SIGN, BLANK)


def is_turned(character: str) -> bool:
    """Whether a character is drawn only by turning a letter upside down."""
    return character in TURNED_LETTERS and not character.isascii() and character != "ı"


def turned(character: str) -> str:
    """The letter that a character shows upside down; itself where it shows none."""
    return TURNED_LETTERS.get(character, character)


@functools.lru_cache(8192)
def looks_like(key: str) -> str:
    """The ASCII letters that a letter looks like, itself left out."""
    if key.isascii():
        return ""
    letters = {STANDARD.get(key, ""), STANDARD.get(key.upper(), ""), FURTHER.get(key, ""), UMLAUTS.get(key, "")}
    name = unicodedata.name(key, "")
    if (named := _NAMED.fullmatch(name)) and "TURNED" not in name:
        letters.add(named[1].casefold())
    return "".join(sorted(letters - {""}))


@functools.cache
def _native() -> dict[str, str]:
    """Letters of Cyrillic and Greek by the ASCII letter that they look like."""
    found: dict[str, str] = {}
    for character in map(chr, (*range(0x3B1, 0x3CA), *range(0x430, 0x460), 0x491)):
        for letter in looks_like(character):
            found[letter] = found.get(letter, "") + character
    return found


@functools.lru_cache(8192)
def stands_for(key: str) -> tuple[Stand, ...]:
    """The letters of rules that the key of a glyph or of a unit may stand for, the nearest first."""
    if len(key) == 1:
        return _of_glyph(key)
    if key == EITHER:
        return (*_of_glyph("i"), *_of_glyph("l"))
    mark, rest = key[0], key[1:]
    if mark == OWN:
        plain, *others = stands_for(rest)
        first = plain._replace(min_letters=LONG) if rest.startswith(HEARD) else plain
        return (first, *(other._replace(min_letters=max(other.min_letters, LONG + 1)) for other in others))
    if mark == HEARD:
        return tuple(Stand(letter, How.SOUNDS) for letter in rest)
    how = How.TURNED if mark == TURNED else How.SIGNS
    return tuple(stand._replace(how=how, is_weak=stand.is_weak or mark == DRAWN) for stand in stands_for(rest))


def _of_glyph(key: str) -> tuple[Stand, ...]:
    found = [Stand(key, How.PLAIN)]
    if key in UMLAUTS:
        found.append(Stand(UMLAUTS[key], How.LOOKS, LONG))
    else:
        found.extend(Stand(letter, How.LOOKS) for letter in looks_like(key))
    for letter in SIGNS.get(key, ""):
        found.extend(Stand(one, How.SIGNS, _LEAST_WITH_SIGNS, is_weak=True) for one in (letter, *_kin(letter)))
    found.extend(Stand(letter, How.SIGNS, _LEAST_WITH_SIGNS, is_weak=True) for letter in SIGNS_OF_CYRILLIC.get(key, ""))
    if key.isascii() and key.isalpha():
        # A word of another script is met by Latin letters only beside letters of its own.
        found.extend(Stand(native, How.LOOKS, is_weak=True) for native in _native().get(key, ""))
        found.extend(Stand(umlaut, How.LOOKS, LONG + 1) for umlaut, plain in UMLAUTS.items() if plain == key)
    return tuple(found)


def _kin(letter: str) -> str:
    """Letters of Cyrillic and Greek, and umlauts, that look like an ASCII letter."""
    return _native().get(letter, "") + "".join(umlaut for umlaut, plain in UMLAUTS.items() if plain == letter)
