"""Rules of words, and the patterns of letters that they stand for.

A rule is written as in Discord's AutoMod: `cat` is the whole word, `cat*` words that begin so, `*cat` words that end
so, and `*cat*` any that contain it. Several words are a phrase.
"""

import enum
from typing import Final

import msgspec

from bot.safety.words.characters import BLANK, DIGIT, LONG, UNSPACED, Glyph, glyphs, is_letter
from bot.safety.words.sounds import spelled

GAP: Final = " "
"""Place between the words of a phrase."""
MAX_LETTERS: Final = 60
MAX_RULES: Final = 1_000
_MIN_LETTERS: Final = 2
_APART: Final = "-_'’/&.+"
"""Signs that part the words of a rule, as a blank does."""


class BadRule(Exception):
    """A rule that cannot be read.

    Attributes:
        key: what is wrong, as a key of the text catalogue without its `bad-rule-`.
    """

    def __init__(self, key: str) -> None:
        super().__init__(SENTENCES[key])
        self.key = key


SENTENCES: Final = {
    "asterisk": "an asterisk may stand only at the beginning and the end of a rule, as in cat, cat*, *cat and *cat*",
    "empty": "a rule needs a letter or a digit",
    "short": "a rule needs at least two letters, since one alone stands everywhere",
    "long": f"a rule has at most {MAX_LETTERS} letters",
}


class Action(enum.StrEnum):
    """What a rule does with a prompt that has its word."""

    REFUSE = "refuse"
    WARN = "warn"
    REVIEW = "review"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule.

    Attributes:
        word: word or phrase as written, with its asterisks.
        action: what is done.
        reason: a sentence for members; "" without one.
        number: number by which people name it; 0 if it has none.
    """

    word: str
    action: Action = Action.REFUSE
    reason: str = ""
    number: int = 0


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Rules, and words and phrases that are allowed although a rule finds its word in them."""

    rules: tuple[Rule, ...] = ()
    exceptions: tuple[str, ...] = ()


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """The letters of a rule, one word after the other, with `GAP` between them.

    Attributes:
        letters: the letters, as keys of glyphs.
        starts_anywhere: whether letters of the same word may come before it.
        ends_anywhere: whether letters of the same word may follow it.
        is_spelled: whether these are the Latin letters of a word in another script.
    """

    letters: str
    starts_anywhere: bool
    ends_anywhere: bool
    is_spelled: bool = False


def read_patterns(word: str) -> tuple[Pattern, ...]:
    """The patterns of a rule's word: as it is written, with `ae` for `ä`, and a longer one in Latin letters.

    Raises:
        BadRule: the word cannot be a rule.
    """
    word = word.strip()
    body = word.removeprefix("*").removesuffix("*").strip()
    if "*" in body:
        raise BadRule("asterisk")
    found = [glyph for character in body for glyph in _parted(character)]
    seen = [glyph for glyph in found if is_letter(glyph)]
    letters = GAP.join("".join(glyph.key for glyph in found if glyph.script != ".").split())
    if not seen:
        raise BadRule("empty")
    is_unspaced = all(glyph.script in UNSPACED for glyph in seen)
    if len(seen) < _MIN_LETTERS and not is_unspaced:
        raise BadRule("short")
    if len(seen) > MAX_LETTERS:
        raise BadRule("long")
    spellings = {letters: False, letters.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"): False}
    if len(seen) >= LONG and all(glyph.script not in ("LATIN", DIGIT) for glyph in seen):
        spellings[GAP.join(map(spelled, letters.split(GAP)))] = True
    return tuple(
        Pattern(
            letters=spelling,
            starts_anywhere=is_unspaced or word.startswith("*"),
            ends_anywhere=is_unspaced or (word.endswith("*") and len(word) > 1),
            is_spelled=is_spelled,
        )
        for spelling, is_spelled in spellings.items()
        if all(spelling.split(GAP)) and spelling
    )


def _parted(character: str) -> tuple[Glyph, ...]:
    return (Glyph(BLANK, BLANK),) if character in _APART else glyphs(character)
