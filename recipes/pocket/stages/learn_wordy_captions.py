"""The stage `wording`: the text encoder learns to read past words that say nothing to this model.

Captions are terse; people are not. Here the encoder is its own teacher: from "could you please paint a blue cat" it
has to make of every word what it made of it in "a blue cat", and of every other word what it makes of no word at all.
No picture is needed, so the stage takes minutes. It begins anew when it is interrupted.
"""

import copy
from functools import lru_cache
from random import Random
from typing import Any

import torch
from rich.progress import track
from torch.nn import functional

from recipes.pocket.drawing import scenes
from recipes.pocket.examples.captions import caption
from recipes.pocket.examples.wordy_captions import add_idle_words, color_after_thing, split_words
from recipes.pocket.networks import MAX_TOKENS, tokenize
from recipes.pocket.stages.text_encoder import load_text_encoder, load_tokenizer
from recipes.pocket.stages.training_run import StageOptions


class _CaptionPairs:
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
                terse, words = color_after_thing(self._rng)
            else:
                said = caption(scenes.sample_scene(self._rng, scenes.LEVELS - 1), self._rng)
                terse = split_words(said)
                words = (
                    add_idle_words(terse, self._rng)
                    if self._rng.random() < 0.75
                    else list(zip(terse, range(99), strict=False))
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


def train(options: StageOptions) -> None:
    """Run the stage: write the folder `text_encoder` anew.

    Args:
        options: its folder holds `text_encoder` as the stage `unet` left it.
    """
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(options.folder)
    student = load_text_encoder(options.folder, options.device).train()
    teacher = copy.deepcopy(student).eval().requires_grad_(requires_grad=False)
    pairs = _CaptionPairs(tokenizer, Random(options.seed))
    optimizer = torch.optim.AdamW(student.parameters(), 5e-4, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-4, total_steps=options.steps, pct_start=0.1)
    empty = tokenize(tokenizer, [""]).to(options.device)
    missed = 0.0
    for _ in track(range(options.steps), description="wording"):
        terse, long, wanted = (part.to(options.device) for part in pairs.draw(options.batch))
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
    student.eval().save_pretrained(options.folder / "text_encoder")
