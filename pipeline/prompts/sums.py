"""Sums of prompts: `= a red apple - red + blue` is drawn from the sum of what its terms mean.

Terms are joined by a plus or minus with a blank on both sides; `(blue:0.5)` weighs a whole term. Weights are divided by
their sum, so `= a cat + a dog` lies between both. If the minus terms weigh about as much as the others, nothing would
be left to draw; they are avoided then, as words of a negative prompt are.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from pipeline.prompts.concepts import NUMBER

MAX_TERMS: Final = 12
"""Greatest number of terms in a sum."""

_LEAST_LEFT: Final = 0.1
"""Least sum of the weights; below it, what is left is blown up so far that it draws noise."""
_SIGN = re.compile(r"(?:(?<=\s)|\A)([+\-\N{EN DASH}\N{MINUS SIGN}])(?=\s)")
_WEIGHED = re.compile(rf"\((?P<words>[^()]+):\s*(?P<weight>{NUMBER})\s*\)")


class Term(msgspec.Struct, frozen=True):
    """Words with their weight in a sum; it is below 0 for words that are taken away."""

    words: str
    weight: float = 1.0


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """A sum.

    Attributes:
        terms: what is added up; the weights have the sum 1. Empty when there is no term to draw.
        avoided: words of minus terms that would leave nothing.
    """

    terms: tuple[Term, ...]
    avoided: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """The sum without the avoided words, in the syntax of prompts."""
        if len(self.terms) == 1:
            return self.terms[0].words
        return "= " + " + ".join(_written(term) for term in self.terms)


def is_sum(prompt: str) -> bool:
    """True when a prompt begins as a sum."""
    return prompt.lstrip().startswith("= ")


def read_sum(prompt: str) -> Sum:
    """Read a prompt as a sum; a prompt without `=` has a single term, unchanged."""
    if not is_sum(prompt):
        return Sum(terms=(Term(prompt),))
    terms = _typed(prompt)
    if sum(term.weight for term in terms) >= _LEAST_LEFT:
        return Sum(terms=_divided(terms))
    plus = tuple(term for term in terms if term.weight > 0)
    return Sum(terms=_divided(plus), avoided=tuple(term.words for term in terms if term.weight < 0))


def in_each_term(prompt: str, change: Callable[[str], str]) -> str:
    """A prompt whose words are changed in each term of its sum; signs and weights stay."""
    if not is_sum(prompt):
        return change(prompt)
    written = [
        ("" if not number and term.weight > 0 else "+ " if term.weight > 0 else "- ")
        + _written(Term(change(term.words), abs(term.weight)))
        for number, term in enumerate(_typed(prompt))
    ]
    return f"= {' '.join(written)}"


def _typed(prompt: str) -> tuple[Term, ...]:
    """Terms with their weights as typed; terms without words or weight are left out."""
    first, *others = _SIGN.split(prompt.lstrip().removeprefix("=").strip())
    terms: list[Term] = []
    for sign, words in zip(("+", *others[::2]), (first, *others[1::2]), strict=True):
        weighed = _WEIGHED.fullmatch(words.strip())
        weight = float(weighed["weight"]) if weighed else 1.0
        term = (weighed["words"] if weighed else words).strip()
        if term and weight:
            terms.append(Term(term, weight if sign == "+" else -weight))
    return tuple(terms)


def _divided(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    total = sum(term.weight for term in terms)
    return tuple(Term(term.words, term.weight / total) for term in terms)


def _written(term: Term) -> str:
    return term.words if term.weight == 1 else f"({term.words}:{round(term.weight, 3):g})"
