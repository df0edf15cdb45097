"""Emphasis: weights of a prompt's parts, in A1111's syntax.

`(x)` multiplies the weight by 1.1, `[x]` divides it by 1.1, and `(x:1.3)` multiplies it by 1.3. Nested brackets
multiply. A backslash escapes the next bracket or backslash; elsewhere it is a plain character. A bracket that is never
closed extends to the end. `BREAK` ends a chunk of the text encoder.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Final

import msgspec

MORE: Final = 1.1
"""Factor of `(x)`; `[x]` divides by it."""
MAX_WEIGHT: Final = 10.0
"""Greatest weight; beyond it a picture is only noise. A1111 has no such limit."""

_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_PIECE = re.compile(
    r"""
    \\(?P<letter>[()\[\]\\]?)
    | (?P<open>[(\[])
    | :\s*(?P<weight>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*\)
    | (?P<close>[)\]])
    | (?P<text>[^\\()\[\]:]+ | :)
    """,
    re.VERBOSE,
)


class Fragment(msgspec.Struct, frozen=True):
    """Words with the same weight."""

    text: str
    weight: float


class Break(msgspec.Struct, frozen=True):
    """Break: the following words begin a new chunk."""


Parts = tuple[Fragment | Break, ...]


class _Reader:
    """Collects fragments, and the start of each open bracket."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []  # None is a break
        self.weights: list[float] = []
        self.open: dict[str, list[int]] = {"(": [], "[": []}

    def add(self, text: str | None) -> None:
        self.texts.append(text)
        self.weights.append(1.0)

    def close(self, bracket: str, factor: float) -> None:
        for index in range(self.open[bracket].pop(), len(self.weights)):
            self.weights[index] *= factor

    def read(self, prompt: str) -> None:
        for piece in _PIECE.finditer(prompt):
            found = piece.lastgroup
            if found == "letter":
                self.add(piece["letter"])
            elif found == "open":
                self.open[piece["open"]].append(len(self.texts))
            elif found == "weight" and self.open["("]:
                self.close("(", float(piece["weight"]))
            elif found == "close" and piece["close"] == ")" and self.open["("]:
                self.close("(", MORE)
            elif found == "close" and piece["close"] == "]" and self.open["["]:
                self.close("[", 1 / MORE)
            else:
                self.add_words(piece[0])
        for bracket, factor in (("(", MORE), ("[", 1 / MORE)):
            while self.open[bracket]:
                self.close(bracket, factor)

    def add_words(self, words: str) -> None:
        for number, part in enumerate(_BREAK.split(words)):
            if number > 0:
                self.add(None)
            self.add(part)


def read_emphasis(prompt: str) -> Parts:
    """Parse a prompt into fragments in order; neighbours with equal weights are joined, and no fragment is empty.

    Every text is valid: anything that is no emphasis counts as words.
    """
    reader = _Reader()
    reader.read(prompt)
    return tuple(_joined(reader))


def _joined(reader: _Reader) -> Iterator[Fragment | Break]:
    pieces = zip(reader.texts, reader.weights, strict=True)
    for (is_break, weight), alike in itertools.groupby(pieces, lambda piece: (piece[0] is None, piece[1])):
        texts = [text for text, _ in alike]
        if is_break:
            yield from (Break() for _ in texts)
        elif words := "".join(filter(None, texts)):
            yield Fragment(words, _bounded(weight))


def _bounded(weight: float) -> float:
    return max(-MAX_WEIGHT, min(MAX_WEIGHT, weight))
