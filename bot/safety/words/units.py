"""Units: a text as matching reads it, one place after the other.

Letters that repeat become optional. Blanks between single letters vanish. A sign inside a word is passed over, and may
stand for a letter.
"""

import enum
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from bot.safety.words.characters import (
    BLANK,
    DIGIT,
    HEARD,
    HIDING,
    OWN,
    SIGN,
    UNSPACED,
    stands_for,
)
from bot.safety.words.seeing import Seen
from bot.safety.words.sounds import sounds


class Kind(enum.IntEnum):
    """What a unit does in matching."""

    LETTER = 0
    """A letter or digit."""
    OPTIONAL = 1
    """A letter that may be left out: the second of many."""
    DOUBLED = 2
    """The second of two equal letters, which may be left out in a very long rule."""
    SIGN = 3
    """A sign inside a word, or beside it: passed over, and a border of words."""
    EDGE = 4
    """A border of words without a character of its own."""
    BLANK = 5
    """Between two words."""
    LOOSE = 6
    """Between two words of which one is a letter or both have two: a long rule goes on behind it."""
    STOP = 7
    """Between two words that belong to no phrase."""


class Unit(NamedTuple):
    """One place of a text.

    Attributes:
        kind: what it does.
        key: the glyph, by which the letters are found that it stands for: after `=` a letter that is read as itself
            where the rule is short, after `~` any of these letters.
        place: index of its character in the text.
        is_apart: whether a blank before it vanished.
    """

    kind: Kind
    key: str
    place: int
    is_apart: bool = False


class _Word(NamedTuple):
    """Glyphs between two blanks.

    Attributes:
        seen: the glyphs.
        size: number of its letters; of a sign alone, one.
        script: the script of all of its letters; "" if they have several, or it has none.
    """

    seen: Sequence[Seen]
    size: int
    script: str


_CONTRACTION: Final = re.compile(r"(?:ll|re|s|t|d|ve|m|n|em|all|clock)(?!\w)", re.IGNORECASE)
_APOSTROPHES: Final = "'’ʼ`´"
_STOPS: Final = ",;.!?:"
_MANY: Final = 3
_SHARE: Final = 0.5
"""Share of a text's letters from which its script is the one that it is written in."""
_FEW: Final = 2
"""Letters of words so short that long words may be cut into them."""
_ARTICLES: Final = ("a", "i")


def read_units(found: Sequence[Seen], text: str) -> list[Unit]:
    """The units of a text's glyphs; the last is a `Kind.STOP`."""
    words = _words(found)
    own = _own_script(found)
    units: list[Unit] = []
    for number, word in enumerate(words):
        joint = _joint(words, number)
        if joint is not None:
            units.append(joint)
        first = len(units)
        units.extend(_word_units(word, text, is_own=bool(own) and word.script == own))
        is_apart = number > 0 and (joint is None or joint.kind == Kind.EDGE)
        if is_apart and len(units) > first:
            units[first] = units[first]._replace(is_apart=True)
        if _is_article(word) and not is_apart:
            units.append(Unit(Kind.EDGE, "", word.seen[-1].place))
    units.append(Unit(Kind.STOP, " ", len(text)))
    return _without_runs(units)


def _words(found: Iterable[Seen]) -> list[_Word]:
    """Glyphs between blanks. A sign alone belongs to the blanks, unless it may stand for a letter."""
    words = [
        _word(list(group)) for is_blank, group in groupby(found, lambda one: one.glyph.script == BLANK) if not is_blank
    ]
    return [word for word in words if word.size]


def _word(group: Sequence[Seen]) -> _Word:
    scripts = [one.glyph.script for one in group if one.glyph.script != SIGN]
    if not scripts:
        may_stand = any(len(stands_for(one.glyph.key)) > 1 or one.glyph.key in HIDING for one in group)
        return _Word(group, len(group) if may_stand else 0, "")
    others = set(scripts) - {DIGIT}
    return _Word(group, len(scripts), others.pop() if len(others) == 1 else "")


def _is_article(word: _Word) -> bool:
    return len(word.seen) == 1 and word.seen[0].glyph.key in _ARTICLES


def _joint(words: Sequence[_Word], number: int) -> Unit | None:
    """What stands before a word; None before the first, and where the blank vanishes."""
    if number == 0:
        return None
    before, word = words[number - 1], words[number]
    here = word.seen[0]
    if before.script in UNSPACED and word.script in UNSPACED:
        return None
    if before.size == word.size == 1 and (usual := _usual_gap(words, number)):
        width = here.place - before.seen[-1].place
        if width <= 2 * usual:
            return Unit(Kind.EDGE, "", here.place) if width > usual else None
    return Unit(_between(before, word), " ", here.place)


def _usual_gap(words: Sequence[_Word], number: int) -> int:
    """The usual distance of single letters around a blank; 0 if there are no three of them in a row."""
    near = words[max(0, number - 2) : number + 2]
    if sum(word.size == 1 for word in near) < _MANY:
        return 0
    return min(two.seen[0].place - one.seen[-1].place for one, two in pairwise(near))


def _between(before: _Word, word: _Word) -> Kind:
    """What stands between two words."""
    if before.seen[-1].glyph.key in _STOPS and len(before.seen) == before.size + 1:
        return Kind.STOP
    if before.size > _FEW and word.size > _FEW:
        return Kind.BLANK
    if any(one.size == 1 and one.script and not _is_article(one) for one in (before, word)):
        return Kind.LOOSE
    return Kind.LOOSE if before.size <= _FEW and word.size <= _FEW else Kind.BLANK


def _own_script(found: Iterable[Seen]) -> str:
    """The script, other than Latin, in which more than half of a text's letters are; "" if there is none."""
    scripts = Counter(one.glyph.script for one in found)
    for other in (BLANK, SIGN, DIGIT):
        scripts.pop(other, None)
    script, count = scripts.most_common(1)[0] if scripts else ("", 0)
    return script if count > _SHARE * scripts.total() and script != "LATIN" else ""


def _word_units(word: _Word, text: str, *, is_own: bool) -> Iterator[Unit]:
    can_be_short = bool(word.script) and sum(one.glyph.key in _APOSTROPHES for one in word.seen) == 1
    for glyph, place in _without_frame(word.seen):
        if glyph.script == SIGN:
            is_short = can_be_short and glyph.key in _APOSTROPHES and _CONTRACTION.match(text, place + 1)
            yield Unit(Kind.BLANK if is_short else Kind.SIGN, glyph.key, place)
        else:
            yield Unit(Kind.LETTER, f"{OWN}{glyph.key}" if is_own and glyph.script != DIGIT else glyph.key, place)


def _without_frame(word: Sequence[Seen]) -> Sequence[Seen]:
    """A word without the same signs before and after it, as in `*cat*`, which mark it and hide no letter."""
    while len(word) > _FEW and word[0].glyph == word[-1].glyph and word[0].glyph.key in HIDING:
        word = word[1:-1]
    return word


def _without_runs(units: Sequence[Unit]) -> list[Unit]:
    """Of many equal letters keep two, of which the second is optional; so in a word of many doubled letters."""
    kept: list[Unit] = []
    start = 0
    for end, unit in enumerate(units):
        if unit.kind >= Kind.BLANK:
            kept.extend(_thinned(units[start:end]))
            kept.append(unit)
            start = end + 1
    return kept


def _thinned(word: Sequence[Unit]) -> Iterable[Unit]:
    if not any(one.key == two.key for one, two in pairwise(word)):
        return word
    runs = [list(run) for _, run in groupby(word, lambda unit: (unit.kind, unit.key))]
    is_many = sum(len(run) > 1 and run[0].kind == Kind.LETTER for run in runs) >= _MANY
    befores = (None, *(run[0] for run in runs))
    return [
        unit for run, before in zip(runs, befores, strict=False) for unit in _thinned_run(run, before, is_many=is_many)
    ]


def _thinned_run(run: Sequence[Unit], before: Unit | None, *, is_many: bool) -> Sequence[Unit]:
    """A run of equal units, of which `before` is the unit before it in its word."""
    if len(run) == 1 or run[0].kind != Kind.LETTER:
        return run
    # A number is not drawn out: 22 is no 2. Digits behind a letter may stand for letters.
    if run[0].key.isdigit() and (before is None or before.kind != Kind.LETTER or before.key.isdigit()):
        return run
    return (run[0], run[1]._replace(kind=Kind.OPTIONAL if len(run) >= _MANY or is_many else Kind.DOUBLED))


def sounded(units: Sequence[Unit]) -> list[Unit]:
    """The units with sounds in place of letters that have them; none if there are no such letters."""
    if all(unit.key.isascii() for unit in units):
        return []
    found: list[Unit] = []
    has_sounds = False
    keys = ["", *(unit.key.removeprefix(OWN) if unit.kind <= Kind.DOUBLED else "" for unit in units), ""]
    for unit, before, key, after in zip(units, keys, keys[1:], keys[2:], strict=False):
        heard = sounds(key, after, before) if key and not key.isascii() else None
        if heard is None:
            found.append(unit)
            continue
        has_sounds = True
        own = OWN if len(unit.key) > 1 else ""
        for sound in heard:
            kind = Kind.OPTIONAL if sound.is_optional else unit.kind
            found.append(Unit(kind, f"{own}{HEARD}{sound.letters}", unit.place, unit.is_apart))
    return found if has_sounds else []
