"""Captions as people type them, with words that the model does not know before, between and after the others."""

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from recipes.pocket import world
from recipes.pocket.examples.captions import with_article

BEFORE: Final = (
    "could you please draw",
    "please make",
    "i would like to see",
    "show me",
    "i want",
    "can you paint",
    "draw me",
    "create an image of",
    "a photo of",
    "a painting of",
    "imagine",
    "generate",
    "give me",
    "hey bot make me",
    "my",
    "there is",
    "this is",
    "we need",
    "it should be",
    "what about",
    "an illustration showing",
    "a cute",
    "a beautiful",
    "a nice",
    "the best",
    "masterpiece",
    "a very",
    "a lovely little picture of",
)  # fmt: skip - a list to look over
BETWEEN: Final = (
    "very",
    "really",
    "cute",
    "beautiful",
    "nice",
    "lovely",
    "happy",
    "shiny",
    "pretty",
    "funny",
    "old",
    "new",
    "some",
    "just",
    "the",
    "my",
    "is",
    "that",
    "which",
    "and",
    "with",
    "of",
    "so",
    "super",
    "detailed",
)  # fmt: skip - a list to look over
AFTER: Final = (
    "please",
    "for me",
    "thanks",
    "thank you",
    "best quality",
    "masterpiece",
    "highly detailed",
    "4k",
    "8k",
    "hd",
    "trending",
    "digital art",
    "by an artist",
    "for my friend",
    "and nothing else",
    "realistic",
    "sharp",
    "if you can",
    "wearing a hoodie",
    "sitting on a table",
    "looking at you",
    "very much",
    "as always",
    "ok",
)  # fmt: skip - a list to look over
_LETTERS: Final = "eeeeaaaaiiioootttnnnrrrsssllddhhccuummppgbfywkvxzjq"

Word = tuple[str, int | None]
"""A word, and its index in the terse caption, or None for an idle word."""


def add_idle_words(terse: Sequence[str], rng: Random) -> list[Word]:
    """The words of a terse caption, with idle words before, between and after them."""
    kept: list[Word] = [(_other_name(word, rng), index) for index, word in enumerate(terse)]
    if rng.random() < 0.4:
        for _ in range(rng.choice((1, 1, 2))):
            kept.insert(rng.randrange(len(kept) + 1), (_idle(rng), None))
    if rng.random() < 0.6:
        kept = [(word, None) for word in rng.choice(BEFORE).split()] + kept
    if rng.random() < 0.5:
        kept += [(word, None) for word in rng.choice(AFTER).split()]
    return kept


def split_words(caption: str) -> list[str]:
    """The words of a caption; a comma is a word of its own."""
    return re.findall(r"[^\s,]+|,", caption)


def color_after_thing(rng: Random) -> tuple[list[str], list[Word]]:
    """A terse caption of a colored thing, and a wordy one with the color after the thing."""
    color, thing = rng.choice(list(world.COLORS)), rng.choice([thing for thing in world.THINGS if thing.colors])
    place = rng.choice(("", *world.PLACES.values())).split()
    terse = [*with_article(f"{color} {thing.name}").split(), *place]
    names = thing.name.split()
    nouns: list[Word] = [(name, 2 + number) for number, name in enumerate(names)]
    ending: list[Word] = [(word, 2 + len(names) + number) for number, word in enumerate(place)]
    link: list[Word] = [(word, None) for word in rng.choice(("that is", "which is", "in", ",", "that looks")).split()]
    return terse, [("a", 0), *nouns, *link, (color, 1), *ending]


def _other_name(word: str, rng: Random) -> str:
    """The word, or sometimes a synonym."""
    aliases = world.ALIASES.get(word)
    return rng.choice(aliases) if aliases and rng.random() < 0.3 else word


def _idle(rng: Random) -> str:
    """An idle word: a usual one or random letters."""
    if rng.random() < 0.5:
        return rng.choice(BETWEEN)
    return "".join(rng.choice(_LETTERS) for _ in range(rng.randint(2, 9)))
