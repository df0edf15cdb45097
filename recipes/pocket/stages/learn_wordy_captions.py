"""The stage `wording`: teach the text encoder to ignore words that the model does not know.

Captions are terse; people are not. The encoder is its own teacher. From "could you please paint a blue cat" it learns
two things: each word of "a blue cat" has the same state as in "a blue cat", and each other word has the state of the
same position in an empty caption. No picture is needed, so the stage takes minutes. An interrupted run starts over.
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
    """Token ids of terse and wordy captions, and the target states of the wordy ones."""

    def __init__(self, tokenizer: Any, rng: Random) -> None:
        self._rng, self._end, self._begin = rng, tokenizer.eos_token_id, tokenizer.bos_token_id
        self._ids = lru_cache(maxsize=20_000)(lambda word: tokenizer(word).input_ids[1:-1])

    def draw(self, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Ids [size, 77] of terse captions, ids [size, 77] of wordy ones, and sources [size, 77] of the target states.

        Source k below 77 is state k of the terse caption; source 77 + k is state k of an empty caption.
        """
        made = [self._pair() for _ in range(size)]
        return tuple(torch.tensor(part) for part in zip(*made, strict=True))  # pyright: ignore[reportReturnType] - three of three

    def _pair(self) -> tuple[list[int], list[int], list[int]]:
        while True:
            if self._rng.random() < 0.25:
                terse, words = color_after_thing(self._rng)
            else:
                terse = split_words(caption(scenes.sample_scene(self._rng, scenes.LEVELS - 1), self._rng))
                words = (
                    add_idle_words(terse, self._rng)
                    if self._rng.random() < 0.75
                    else list(zip(terse, range(99), strict=False))
                )
            short, positions = [self._begin], list[range]()
            for word in terse:
                positions.append(range(len(short), len(short) + len(self._ids(word))))
                short += self._ids(word)
            long, sources = [self._begin], [0]
            for word, index in words:
                ids = self._ids(word)
                for k in range(len(ids)):
                    # A synonym may have more tokens than the word itself.
                    own = None if index is None else positions[index][min(k, len(positions[index]) - 1)]
                    sources.append(MAX_TOKENS + len(long) + k if own is None else own)
                long += ids
            if len(long) < MAX_TOKENS:
                # After the end token, each state comes from the same position of the terse caption.
                sources += range(len(long), MAX_TOKENS)
                return self._padded(short), self._padded(long), sources

    def _padded(self, ids: list[int]) -> list[int]:
        return ids + [self._end] * (MAX_TOKENS - len(ids))


def train(options: StageOptions) -> None:
    """Run the stage: overwrite the folder `text_encoder`.

    Args:
        options: its folder has `text_encoder` of the stage `unet`.
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
        terse, long, sources = (part.to(options.device) for part in pairs.draw(options.batch))
        with torch.no_grad():
            known = torch.cat(
                [teacher(terse).last_hidden_state, teacher(empty).last_hidden_state.expand(len(terse), -1, -1)], 1
            )
            target = known.gather(1, sources[..., None].expand(-1, -1, known.shape[-1]))
        loss = functional.mse_loss(student(long).last_hidden_state, target)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        missed = float(loss.detach() / target.var())
    print(f"Missed part of the variance of the states: {missed:.3f}.")
    student.eval().save_pretrained(options.folder / "text_encoder")
