"""Matching: which rules of a set a prompt meets, where, and how it was read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from bot.safety.words.automaton import Automaton, End
from bot.safety.words.characters import SEVERAL_PATTERN, How
from bot.safety.words.prompts import USUAL_STEPS, attracting, texts_of
from bot.safety.words.rules import Pattern, Rule, RuleSet, read_patterns
from bot.safety.words.seeing import drawn_together, seen, upside_down
from bot.safety.words.tracing import Trace, trace
from bot.safety.words.units import Kind, Unit, read_units, sounded


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's word in a prompt.

    Attributes:
        rule: the rule.
        part: the part of the prompt, as typed; of a prompt that changes with its steps, as it is at one of them.
        how: how the part was read as the word, at least one way.
        exception: the exception that allows it; "" if none does.
    """

    rule: Rule
    part: str
    how: tuple[How, ...]
    exception: str = ""


class _Reading(NamedTuple):
    """Units of a text, and whether its letters are read as sounds."""

    units: Sequence[Unit]
    is_heard: bool = False


class Matcher:
    """A set of rules, ready to judge prompts.

    Args:
        rule_set: the rules.

    Raises:
        BadRule: a rule or an exception cannot be read.
    """

    def __init__(self, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        self._rules = rule_set.rules
        self._patterns, self._owners = _patterns([rule.word for rule in rule_set.rules])
        self._automaton = Automaton(self._patterns)
        self._exceptions = rule_set.exceptions
        self._allowed, self._allowed_owners = _patterns(rule_set.exceptions)
        self._allowing = Automaton(self._allowed)

    def hits(self, prompt: str, *, steps: int = USUAL_STEPS) -> tuple[Hit, ...]:
        """The rules that a prompt meets, in the order of the prompt, each once.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return self._hits(texts_of(prompt, steps)) if self._rules else ()

    def hits_in_negative(self, negative_prompt: str, *, steps: int = USUAL_STEPS) -> tuple[Hit, ...]:
        """The rules that those parts of a negative prompt meet that attract.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return self._hits(attracting(negative_prompt, steps)) if self._rules else ()

    def explain(self, prompt: str) -> tuple[Hit, ...]:
        """The hits, and those that an exception allows.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        return self._hits(texts_of(prompt, USUAL_STEPS), with_allowed=True) if self._rules else ()

    def _hits(self, texts: Mapping[str, bool], *, with_allowed: bool = False) -> tuple[Hit, ...]:
        found: dict[int, Hit] = {}
        for text, is_changed in texts.items():
            for reading in _readings(text):
                for number, hit in self._found(reading, text, found):
                    if hit.exception and (not with_allowed or number in found):
                        continue
                    how = _with(How.LANGUAGE, hit.how) if is_changed else hit.how
                    found[number] = msgspec.structs.replace(hit, how=how)
        return tuple(found.values())

    def _found(self, reading: _Reading, text: str, known: Mapping[int, Hit]) -> Iterator[tuple[int, Hit]]:
        """Hits in one reading of a text, without those of known rules."""
        units = reading.units
        spans: list[tuple[Trace, str]] | None = None
        for end in self._automaton.ends(units):
            number, pattern = self._owners[end.pattern], self._patterns[end.pattern]
            is_known = number in known and not known[number].exception
            # Two words of another script that sound alike are two words.
            if is_known or (pattern.is_spelled and reading.is_heard):
                continue
            at = _traced(units, self._patterns, end)
            if at is None:
                continue
            if spans is None:
                spans = list(self._spans(units)) if self._exceptions else []
            exception = next((word for span, word in spans if span.first <= at.first and at.last <= span.last), "")
            how = _with(How.SOUNDS, at.how) if pattern.is_spelled else at.how
            yield number, Hit(rule=self._rules[number], part=_part(units, at, text), how=how, exception=exception)

    def _spans(self, units: Sequence[Unit]) -> Iterator[tuple[Trace, str]]:
        for end in self._allowing.ends(units):
            if (at := _traced(units, self._allowed, end)) is not None:
                yield at, self._exceptions[self._allowed_owners[end.pattern]]


def _patterns(words: Sequence[str]) -> tuple[list[Pattern], list[int]]:
    """The patterns of all words, and for each the index of its word."""
    found = [(pattern, number) for number, word in enumerate(words) for pattern in read_patterns(word)]
    return [pattern for pattern, _ in found], [number for _, number in found]


def _with(first: How, how: Sequence[How]) -> tuple[How, ...]:
    return (first, *(way for way in how if way not in (How.PLAIN, first)))


def _readings(text: str) -> Iterator[_Reading]:
    """A text as it looks, as it sounds, with signs that are drawn together, and upside down, where these differ."""
    found = seen(text)
    units = read_units(found, text)
    if all(unit.kind > Kind.DOUBLED for unit in units):
        return  # signs alone are no word
    yield _Reading(units)
    if heard := sounded(units):
        yield _Reading(heard, is_heard=True)
    if SEVERAL_PATTERN.search(text):
        yield _Reading(read_units(drawn_together(found, text), text))
    if turned := upside_down(text):
        yield _Reading(read_units(turned, text))


def _traced(units: Sequence[Unit], patterns: Sequence[Pattern], end: End) -> Trace | None:
    return trace(units, patterns[end.pattern], end.unit)


def _part(units: Sequence[Unit], at: Trace, text: str) -> str:
    """The part of a text, with what belongs to its last letter."""
    places = sorted((units[at.first].place, units[at.last].place))
    end = places[1] + 1
    while end < len(text) and text[end].casefold() == text[places[1]].casefold():
        end += 1
    return text[places[0] : end]
