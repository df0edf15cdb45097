"""All rules of a set as one automaton: Shift-And on Python's integers, where a bit is a letter of a rule.

A text takes a bounded number of operations for each of its units, whatever it holds, and nothing is tried twice.
The method: R. Baeza-Yates and G. Gonnet, "A new approach to text searching", 1992.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from bot.safety.words.characters import HIDING, LONG, Stand, stands_for
from bot.safety.words.rules import GAP, Pattern
from bot.safety.words.units import Kind, Unit

VERY_LONG: Final = 6
"""Letters of a rule from which a doubled letter may be a single one, and two letters may be hidden."""
_MAX_KNOWN: Final = 4_096
"""Most keys whose masks are kept."""


class Masks(NamedTuple):
    """The places of rules that a key may stand for; `weak` are those where it does so only as a sign."""

    any: int
    weak: int


_States: TypeAlias = tuple[int, int, int, int]
"""Places reached: in any way, with signs alone, with one hidden letter, with two."""
_NOTHING: Final = (0, 0, 0, 0)


class End(NamedTuple):
    """The end of a pattern in a text: number of the pattern, and index of the unit with its last letter or later."""

    pattern: int
    unit: int


class Automaton:
    """Patterns to look for.

    Args:
        patterns: the patterns; the same letters may occur more than once.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        self._places: dict[str, int] = {}
        self._longer: dict[int, int] = {}
        self._known: dict[str, Masks] = {}
        self._ends: dict[int, int] = {}
        self._start_any = self._starts = self._end_any = self._end_word = 0
        self._gaps = self._before_gaps = self._hideable = self._hideable_twice = 0
        self._long = self._very_long = 0
        bit = 0
        # Those that may start anywhere, and phrases, come first: their masks are short numbers then, and quick.
        for number in sorted(range(len(patterns)), key=lambda number: _is_plain(patterns[number])):
            pattern = patterns[number]
            self._add(number, pattern, bit)
            bit += len(pattern.letters) + 1  # a bit without a letter ends each pattern

    def _add(self, number: int, pattern: Pattern, first: int) -> None:
        letters = pattern.letters
        size = len(letters.replace(GAP, ""))
        whole = ((1 << len(letters)) - 1) << first
        for offset, letter in enumerate(letters):
            self._places[letter] = self._places.get(letter, 0) | 1 << first + offset
            if letter == GAP:
                self._gaps |= 1 << first + offset
                self._before_gaps |= 1 << first + offset - 1
        for least in range(1, min(size, VERY_LONG) + 1):
            self._longer[least] = self._longer.get(least, 0) | whole
        last = first + len(letters) - 1
        self._ends[last] = number
        self._starts |= 1 << first
        if pattern.starts_anywhere:
            self._start_any |= 1 << first
        if pattern.ends_anywhere:
            self._end_any |= 1 << last
        else:
            self._end_word |= 1 << last
        if size >= LONG:
            self._long |= whole
            # The first letter is never hidden: `*anger*` is marked text.
            self._hideable |= whole & ~(1 << first)
        if size >= VERY_LONG:
            self._very_long |= whole
            self._hideable_twice |= whole & ~(1 << first)

    def masks(self, key: str) -> Masks:
        """The places that a key may stand for."""
        known = self._known.get(key)
        if known is None:
            known = self._masks(stands_for(key))
            if len(self._known) < _MAX_KNOWN:
                self._known[key] = known
        return known

    def _masks(self, stands: Sequence[Stand]) -> Masks:
        strong = weak = 0
        for stand in stands:
            places = self._places.get(stand.letter, 0)
            if stand.min_letters:
                places &= self._longer.get(stand.min_letters, 0)
            if stand.is_weak:
                weak |= places
            else:
                strong |= places
        return Masks(strong | weak, weak & ~strong)

    def ends(self, units: Sequence[Unit]) -> Iterator[End]:
        """Where patterns end in a text, in its order."""
        states = _NOTHING
        is_edge = True
        for index, (kind, key, _, _) in enumerate(units):
            if kind >= Kind.SIGN:
                if found := _complete(states, self._end_word):
                    yield from self._told(found, index - 1)
                    states = _without(states, found)
                if kind >= Kind.EDGE:
                    states = states if kind == Kind.EDGE else self._over_blank(states, kind)
                    is_edge = True
                    continue
                if key not in HIDING and not self.masks(key).any:
                    is_edge = True  # a sign that stands for nothing is passed over
                    continue
            states = self._over_glyph(states, kind, key, is_edge=is_edge)
            # Where the first of a word's letters may be left out, the next may be its first as well.
            is_edge = kind == Kind.SIGN or (is_edge and kind == Kind.OPTIONAL)
            if found := _complete(states, self._end_any):
                yield from self._told(found, index)
                states = _without(states, found)

    def _over_blank(self, states: _States, kind: Kind) -> _States:
        """Words end at a blank, and phrases go on."""
        if kind == Kind.STOP:
            return _NOTHING
        reached, weak, hidden, twice = states
        kept = self._gaps | self._long if kind == Kind.LOOSE else self._gaps
        return reached & kept, weak & kept, hidden & kept, twice & kept

    def _over_glyph(self, states: _States, kind: Kind, key: str, *, is_edge: bool) -> _States:
        """A letter is the next of a pattern; a letter that may be left out, and a sign, may also be passed over."""
        reached, weak, hidden, twice = states
        places, only = self.masks(key)
        start = self._starts if is_edge else self._start_any
        step = self._beyond((reached << 1 | start) & places)
        weak_step = self._beyond((weak << 1 | start) & only) if only else 0
        hidden_step = self._beyond(hidden << 1 & places) if hidden else 0
        twice_step = self._beyond(twice << 1 & places) if twice else 0
        if kind == Kind.LETTER:
            return step, weak_step, hidden_step, twice_step
        if kind == Kind.SIGN and key in HIDING:
            hidden_step |= self._beyond(reached << 1 & self._hideable)
            if hidden:
                twice_step |= self._beyond(hidden << 1 & self._hideable_twice)
        if kind == Kind.DOUBLED:
            reached, weak, hidden, twice = (state & self._very_long for state in states)
        return step | reached, weak_step | weak, hidden_step | hidden, twice_step | twice

    def _beyond(self, places: int) -> int:
        """Places, and the gap behind each last letter of a word, since the words of a phrase may stand together."""
        return places | (places & self._before_gaps) << 1

    def _told(self, found: int, unit: int) -> Iterator[End]:
        while found:
            bit = found & -found
            found ^= bit
            yield End(self._ends[bit.bit_length() - 1], unit)


def _is_plain(pattern: Pattern) -> bool:
    return not pattern.starts_anywhere and GAP not in pattern.letters


def _complete(states: _States, ends: int) -> int:
    """The ends that were reached with a letter at least, and not with signs alone."""
    reached, weak, hidden, twice = states
    found = reached & ends
    if found:
        found &= ~weak
    if hidden or twice:
        found |= (hidden | twice) & ends
    return found


def _without(states: _States, places: int) -> _States:
    reached, weak, hidden, twice = states
    return reached & ~places, weak & ~places, hidden & ~places, twice & ~places
