"""The way back from the end of a rule's word in a text to its start: which units it is, and how each was read."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bot.safety.words.automaton import VERY_LONG
from bot.safety.words.characters import HEARD, HIDING, LONG, How, stands_for
from bot.safety.words.rules import GAP, Pattern
from bot.safety.words.units import Kind, Unit


class Trace(NamedTuple):
    """Where and how a pattern is in a text.

    Attributes:
        first: index of its first unit.
        last: index of its last unit.
        how: the ways in which it was read, without `How.PLAIN` if there are others.
    """

    first: int
    last: int
    how: tuple[How, ...]


class _Step(NamedTuple):
    """A letter of the pattern that is to be found at a unit or before it.

    Attributes:
        unit: index of the unit.
        letter: index of the letter.
        hidden: letters behind it that a sign hides.
        is_strong: whether a letter behind it stands for itself.
    """

    unit: int
    letter: int
    hidden: int
    is_strong: bool


_ORDER: Final = tuple(How)


def trace(units: Sequence[Unit], pattern: Pattern, end: int) -> Trace | None:
    """Follow a pattern that ends at a unit back to its start; None if it stands there only as signs."""
    size = len(pattern.letters.replace(GAP, ""))
    start = _Step(end, len(pattern.letters) - 1, 0, is_strong=False)
    behind: dict[_Step, tuple[_Step | None, How | None]] = {start: (None, None)}
    open_ = [start]
    while open_:
        step = open_.pop()
        if step.letter < 0:
            return _told(step, behind, units)
        for following, how in _following(step, units, pattern, size):
            if following not in behind:
                behind[following] = (step, how)
                open_.append(following)
    return None


def _following(step: _Step, units: Sequence[Unit], pattern: Pattern, size: int) -> Iterator[tuple[_Step, How | None]]:
    """The steps after this one, the likeliest last."""
    index, letter, hidden, is_strong = step
    if index < 0:
        return
    unit = units[index]
    if _may_pass(unit.kind, size):
        yield step._replace(unit=index - 1), None
    for how, is_weak in _ways(unit, pattern.letters[letter], size, can_hide=letter > 0 and hidden < _hideable(size)):
        strong = is_strong or not is_weak
        if letter == 0:
            if strong and (pattern.starts_anywhere or _is_edge(units, index)):
                yield _Step(index, -1, hidden, strong), how
            continue
        hides = hidden + (how == How.HIDDEN)
        if pattern.letters[letter - 1] == GAP:
            yield _Step(index - 1, letter - 2, hides, strong), how
        yield _Step(index - 1, letter - 1, hides, strong), how


def _may_pass(kind: Kind, size: int) -> bool:
    if kind == Kind.DOUBLED:
        return size >= VERY_LONG
    return kind in (Kind.OPTIONAL, Kind.SIGN, Kind.EDGE) or (kind == Kind.LOOSE and size >= LONG)


def _hideable(size: int) -> int:
    return (size >= LONG) + (size >= VERY_LONG)


def _ways(unit: Unit, letter: str, size: int, *, can_hide: bool) -> Iterator[tuple[How, bool]]:
    """The ways in which a unit is a letter, the likeliest last, and whether each is weak."""
    if letter == GAP:
        if unit.kind in (Kind.BLANK, Kind.LOOSE, Kind.SIGN):
            yield (How.INSIDE if unit.kind == Kind.SIGN else How.PLAIN), True
        return
    if unit.kind == Kind.SIGN and unit.key in HIDING and can_hide:
        yield How.HIDDEN, False
    if unit.kind <= Kind.SIGN:
        for stand in reversed(stands_for(unit.key)):
            if stand.letter == letter and size >= stand.min_letters:
                yield stand.how, stand.is_weak


def _is_edge(units: Sequence[Unit], index: int) -> bool:
    index -= 1
    while index >= 0 and units[index].kind == Kind.OPTIONAL:
        index -= 1
    return index < 0 or units[index].kind >= Kind.SIGN


def _told(step: _Step, behind: dict[_Step, tuple[_Step | None, How | None]], units: Sequence[Unit]) -> Trace:
    first = last = step.unit
    read: dict[int, How] = {}
    before: _Step | None = step
    while before is not None:
        following, how = behind[before]
        if following is not None and how is not None:
            last = following.unit
            read[last] = how
        before = following
    ways = {*read.values(), *_passed(units, first, last, read)} - {How.PLAIN}
    return Trace(first, last, tuple(sorted(ways, key=_ORDER.index)) or (How.PLAIN,))


def _passed(units: Sequence[Unit], first: int, last: int, read: dict[int, How]) -> Iterator[How]:
    """What else happened between the first and the last unit."""
    for index in range(first, last + 1):
        unit = units[index]
        is_passed = index not in read
        if index > first and (unit.is_apart or (unit.kind == Kind.LOOSE and is_passed)):
            yield How.APART
        if unit.kind == Kind.SIGN and is_passed:
            yield How.INSIDE
        if (unit.kind == Kind.OPTIONAL and HEARD not in unit.key[:-1]) or (unit.kind == Kind.DOUBLED and is_passed):
            yield How.REPEATED
