"""The stage `wording`: the text encoder learns to read past words that say nothing to this model.

Captions are terse; people are not. Here the encoder is its own teacher: from "could you please paint a blue cat" it
has to make of every word what it made of it in "a blue cat", and of every other word what it makes of no word at all.
No picture is needed, so the stage takes minutes. It begins anew when it is interrupted.
"""

import copy
import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any, Final

import torch
from rich.progress import track
from torch.nn import functional

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.examples.captions import caption, with_article
from recipes.pocket.models import MAX_TOKENS, tokenize
from recipes.pocket.stages import text
from recipes.pocket.stages.running import Place

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
"""A word, and which word of the terse caption it is, if it is one of them."""


def wordy(terse: Sequence[str], rng: Random) -> list[Word]:
    """A terse caption's words with others before, between and after them."""
    kept: list[Word] = [(_other_name(word, rng), place) for place, word in enumerate(terse)]
    if rng.random() < 0.4:
        for _ in range(rng.choice((1, 1, 2))):
            kept.insert(rng.randrange(len(kept) + 1), (_idle(rng), None))
    if rng.random() < 0.6:
        kept = [(word, None) for word in rng.choice(BEFORE).split()] + kept
    if rng.random() < 0.5:
        kept += [(word, None) for word in rng.choice(AFTER).split()]
    return kept


def words_of(said: str) -> list[str]:
    """The words of a caption; a comma is one."""
    return re.findall(r"[^\s,]+|,", said)


def turned(rng: Random) -> tuple[list[str], list[Word]]:
    """A caption of a colored thing, and the same with the color behind the thing."""
    color, thing = rng.choice(list(world.COLORS)), rng.choice([thing for thing in world.THINGS if thing.colors])
    place = rng.choice(("", *world.PLACES.values())).split()
    terse = [*with_article(f"{color} {thing.name}").split(), *place]
    names = thing.name.split()
    nouns: list[Word] = [(name, 2 + number) for number, name in enumerate(names)]
    ending: list[Word] = [(word, 2 + len(names) + number) for number, word in enumerate(place)]
    link: list[Word] = [(word, None) for word in rng.choice(("that is", "which is", "in", ",", "that looks")).split()]
    return terse, [("a", 0), *nouns, *link, (color, 1), *ending]


def _other_name(word: str, rng: Random) -> str:
    """The word, or now and then another that means the same."""
    aliases = world.ALIASES.get(word)
    return rng.choice(aliases) if aliases and rng.random() < 0.3 else word


def _idle(rng: Random) -> str:
    """A word that says nothing here, at times one that nobody knows."""
    if rng.random() < 0.5:
        return rng.choice(BETWEEN)
    return "".join(rng.choice(_LETTERS) for _ in range(rng.randint(2, 9)))


class _Pairs:
    """Terse and wordy captions as ids, and what the states of the wordy ones have to be."""

    def __init__(self, tokenizer: Any, rng: Random) -> None:
        self._rng, self._end, self._begin = rng, tokenizer.eos_token_id, tokenizer.bos_token_id
        self._ids = lru_cache(maxsize=20_000)(lambda word: tokenizer(word).input_ids[1:-1])

    def draw(self, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Ids [size, 77] terse and wordy, and [size, 77] where each wordy state is to be found.

        There, k below 77 is the terse caption's state k, and 77 + k state k of an empty caption.
        """
        made = [self._pair() for _ in range(size)]
        return tuple(torch.tensor(part) for part in zip(*made, strict=True))  # pyright: ignore[reportReturnType] - three of three

    def _pair(self) -> tuple[list[int], list[int], list[int]]:
        while True:
            if self._rng.random() < 0.25:
                terse, words = turned(self._rng)
            else:
                said = caption(scenes.draw_lot(self._rng, scenes.LEVELS - 1), self._rng)
                terse = words_of(said)
                words = (
                    wordy(terse, self._rng) if self._rng.random() < 0.75 else list(zip(terse, range(99), strict=False))
                )
            short, places = [self._begin], list[range]()
            for word in terse:
                places.append(range(len(short), len(short) + len(self._ids(word))))
                short += self._ids(word)
            long, wanted = [self._begin], [0]
            for word, place in words:
                ids = self._ids(word)
                for k in range(len(ids)):
                    # Another name may have more pieces than the word has.
                    own = None if place is None else places[place][min(k, len(places[place]) - 1)]
                    wanted.append(MAX_TOKENS + len(long) + k if own is None else own)
                long += ids
            if len(long) < MAX_TOKENS:
                # Behind the end, each state is that of the same place behind the terse caption's end.
                wanted += range(len(long), MAX_TOKENS)
                return self._filled(short), self._filled(long), wanted

    def _filled(self, ids: list[int]) -> list[int]:
        return ids + [self._end] * (MAX_TOKENS - len(ids))


def train(place: Place) -> None:
    """Run the stage: write the folder `text_encoder` anew.

    Args:
        place: its folder holds `text_encoder` as the stage `unet` left it.
    """
    torch.manual_seed(place.seed)
    tokenizer = text.load_tokenizer(place.folder)
    student = text.load(place.folder, place.device).train()
    teacher = copy.deepcopy(student).eval().requires_grad_(requires_grad=False)
    pairs = _Pairs(tokenizer, Random(place.seed))
    optimizer = torch.optim.AdamW(student.parameters(), 5e-4, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-4, total_steps=place.steps, pct_start=0.1)
    empty = tokenize(tokenizer, [""]).to(place.device)
    missed = 0.0
    for _ in track(range(place.steps), description="wording"):
        terse, long, wanted = (part.to(place.device) for part in pairs.draw(place.batch))
        with torch.no_grad():
            known = torch.cat(
                [teacher(terse).last_hidden_state, teacher(empty).last_hidden_state.expand(len(terse), -1, -1)], 1
            )
            goal = known.gather(1, wanted[..., None].expand(-1, -1, known.shape[-1]))
        loss = functional.mse_loss(student(long).last_hidden_state, goal)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        missed = float(loss.detach() / goal.var())
    print(f"Of the states' variance, {missed:.3f} is missed.")
    student.eval().save_pretrained(place.folder / "text_encoder")
