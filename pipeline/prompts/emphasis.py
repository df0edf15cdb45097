"""How much each part of a prompt counts, as A1111 reads it.

`(x)` counts 1.1 times, `[x]` a 1.1th, `(x:1.3)` 1.3 times; brackets nest and multiply; a backslash makes the next
bracket or backslash a letter and is nothing anywhere else; a bracket that is never closed counts to the end. `BREAK`
ends a chunk of the text encoder.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Final

import msgspec

MORE: Final = 1.1
"""Of `(x)`; `[x]` is divided by it."""
MAX_WEIGHT: Final = 10.0
"""Beyond it a picture is noise; A1111 lets the numbers run away."""

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
    """Words that count alike."""

    text: str
    weight: float


class Break(msgspec.Struct, frozen=True):
    """What follows begins a new chunk."""


Parts = tuple[Fragment | Break, ...]


class _Reader:
    """Fragments so far, and where each bracket that is still open began."""

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
    """A prompt as fragments in their order; neighbours of one weight are joined, and none is empty.

    Any text can be read: what is no emphasis is words.
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
