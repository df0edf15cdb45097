"""Concepts: several prompts in one picture, in A1111's syntax `a cat AND a dog :0.5`.

Each concept guides the picture by itself, with its weight (Liu et al. 2022, https://arxiv.org/abs/2206.01714). A
negative weight leads away from it.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from pipeline.prompts.emphasis import MAX_WEIGHT

MAX_CONCEPTS: Final = 6
"""Greatest number of concepts in a prompt; each one is a row of every forward pass."""

NUMBER: Final = r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
"""Pattern of a weight."""
_AND = re.compile(r"\s*\bAND\b\s*")
_WEIGHT = re.compile(rf"\s*(?<![0-9]):\s*(?P<weight>{NUMBER})\s*\Z")


class Concept(msgspec.Struct, frozen=True):
    """Words with the weight of their guidance."""

    words: str
    weight: float = 1.0


def split_at_and(prompt: str) -> tuple[Concept, ...]:
    """The concepts that `AND` separates, as typed; empty when there is no `AND`, or no words beside it."""
    texts = _AND.split(prompt)
    if len(texts) == 1:
        return ()
    parts: list[Concept] = []
    for text in texts:
        match = _WEIGHT.search(text)
        words = (text[: match.start()] if match else text).strip()
        if words:
            parts.append(Concept(words, float(match["weight"]) if match else 1.0))
    return tuple(parts)


def read_concepts(prompt: str) -> tuple[Concept, ...]:
    """The concepts that guide a picture, at least one; a prompt without `AND` is one concept, unchanged.

    A concept of the weight 0 guides nothing and is left out, unless all are such.
    """
    bounded = [Concept(part.words, max(-MAX_WEIGHT, min(MAX_WEIGHT, part.weight))) for part in split_at_and(prompt)]
    return tuple(part for part in bounded if part.weight) or (*bounded[:1],) or (Concept(prompt),)


def in_each_concept(prompt: str, change: Callable[[str], str]) -> str:
    """A prompt whose words are changed in each of its concepts; weights stay."""
    parts = split_at_and(prompt)
    if not parts:
        return change(prompt)
    return " AND ".join(f"{change(part.words)}{_written(part.weight)}" for part in parts)


def _written(weight: float) -> str:
    return "" if weight == 1 else f" :{weight:.9f}".rstrip("0").rstrip(".")
