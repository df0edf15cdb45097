"""Converts weights of other programs to A1111's syntax, and finds their syntax that has no meaning in Easel.

`a::2 b::-1` is Midjourney's; its negative weights name things to avoid, and -0.5 equals `--no`. `1.5::a::` is
NovelAI's. `a :1.2 AND b` is A1111's syntax for several concepts in one picture. For a model that takes no concepts, it
becomes a single prompt.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from pipeline.prompts.concepts import NUMBER, split_at_and

MAX_WEIGHT: Final = 10.0
"""Greatest weight, as in `emphasis`."""
_AVOIDED: Final = 0.5
"""Absolute value of the negative weight that equals Midjourney's `--no`."""
_MAX_SIGNS: Final = 5

_BRACKET = re.compile(r"\\.|[()\[\]{}<>]", re.DOTALL)
_COLONS = re.compile(rf"::(?P<weight>{NUMBER}(?![\w.]))?")
_ENCLOSED = re.compile(rf"(?<![\w.:])(?P<weight>{NUMBER})::(?P<words>(?:(?!::).)+?)::(?![0-9.+-])", re.DOTALL)
_SIGNS = re.compile(
    r"""
    \bAND_[A-Z]+\b | \bADD(?:ROW|COL|COMM|BASE)\b    # extensions of A1111
    | (?:\b\w{2,}|\))\+{2,}(?=[\s,]|\Z)              # compel, in InvokeAI
    | \)(?:[+-]+|[0-9]*\.?[0-9]+)(?=[\s,]|\Z)
    | \.(?:and|blend|swap)\(
    | <break> | <(?!lora:|lyco:|hypernet:|embedding:)[a-z_]{2,20}(?:\[[^\]<>]*\])?:[^<>]+>    # SwarmUI
    """,
    re.VERBOSE,
)
_CLOSING: Final = {")": "(", "]": "[", "}": "{", ">": "<"}


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt with weights in A1111's syntax.

    Attributes:
        prompt: the converted prompt.
        avoided: words with a negative weight, for the negative prompt.
        unread: weights as typed that have no effect.
        is_joined: True when an `AND` was converted.
    """

    prompt: str
    avoided: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    is_joined: bool = False


class _Part(msgspec.Struct, frozen=True):
    words: str
    weight: float = 1.0


def read_weights(prompt: str, *, has_weights: bool = True, has_concepts: bool = False) -> Weighed:
    """Convert the weights of other programs; a prompt without them stays unchanged.

    Args:
        prompt: the prompt as typed.
        has_weights: True when the model supports weights; otherwise they are removed and reported as unread.
        has_concepts: True when the model takes the parts around `AND` as concepts; then they stay as typed.
    """
    prompt = _ENCLOSED.sub(lambda match: f"::{match['words']}::{match['weight']} ", prompt)
    depths = list(_depths(prompt))
    found = list(_COLONS.finditer(prompt))
    inside = [match for match in found if match["weight"] and depths[match.start()] == "("]
    unread = [match[0] for match in inside]
    top = [match for match in found if not depths[match.start()]]
    avoided: list[_Part] = []
    if top:
        parts = [*_between(prompt, top)]
        avoided = [_Part(part.words, -part.weight / _AVOIDED) for part in parts if part.weight < 0]
        unread += [] if has_weights else [match[0] for match in top if match["weight"]]
        prompt = ", ".join(_written(part, has_weights=has_weights) for part in parts if part.weight >= 0)
    joined = () if has_concepts else [_Part(part.words, part.weight) for part in split_at_and(prompt)]
    if joined:
        avoided += [_Part(part.words, -part.weight) for part in joined if part.weight < 0]
        unread += [] if has_weights else [f":{part.weight:g}" for part in joined if part.weight != 1]
        prompt = " and ".join(_written(part, has_weights=has_weights) for part in joined if part.weight >= 0)
    return Weighed(
        prompt=prompt,
        avoided=tuple(_written(part, has_weights=has_weights) for part in avoided),
        unread=tuple(unread),
        is_joined=bool(joined),
    )


def find_signs(prompt: str) -> tuple[str, ...]:
    """Syntax of other programs that has no meaning in Easel, without repetition; only the first few."""
    return tuple(dict.fromkeys(match[0].strip() for match in _SIGNS.finditer(prompt)))[:_MAX_SIGNS]


def _depths(prompt: str) -> Iterator[str]:
    """Innermost bracket around each character; empty outside brackets. A bracket without its partner is ignored."""
    open_at: list[tuple[str, int]] = []
    pairs: dict[int, int] = {}
    for match in _BRACKET.finditer(prompt):
        sign = match[0]
        if sign in _CLOSING.values():
            open_at.append((sign, match.start()))
        elif sign in _CLOSING and any(opened == _CLOSING[sign] for opened, _ in open_at):
            while open_at[-1][0] != _CLOSING[sign]:
                open_at.pop()
            pairs[open_at.pop()[1]] = match.start()
    ends: list[tuple[str, int]] = []
    for place, sign in enumerate(prompt):
        while ends and place >= ends[-1][1]:
            ends.pop()
        if place in pairs:
            ends.append((sign, pairs[place]))
        yield ends[-1][0] if ends else ""


def _between(prompt: str, found: Iterable[re.Match[str]]) -> Iterator[_Part]:
    """Words before each weight, and words after the last one."""
    start = 0
    for match in found:
        words = prompt[start : match.start()].strip(" ,\t\n")
        if words:
            yield _Part(words, float(match["weight"] or 1))
        start = match.end()
    rest = prompt[start:].strip(" ,\t\n")
    if rest:
        yield _Part(rest)


def _written(part: _Part, *, has_weights: bool) -> str:
    """Write a part in A1111's syntax."""
    if part.weight == 1 or not has_weights:
        return part.words
    return f"({part.words}:{round(min(part.weight, MAX_WEIGHT), 3):g})"
