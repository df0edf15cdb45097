"""Endless batches of scenes and captions, composed beside the training where cores are free."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from recipes.pocket.drawing import scenes
from recipes.pocket.drawing.painter import Layout
from recipes.pocket.drawing.scenes import Scene
from recipes.pocket.examples.captions import caption
from recipes.pocket.networks import tokenize

EMPTY_SHARE: Final = 0.1
"""Share of the captions that are left empty (classifier-free guidance, Ho and Salimans 2022, arXiv:2207.12598)."""

MakeExample = Callable[[Scene, Random], tuple[Scene, tuple[str, ...]]]
"""From a scene, by chance: the scene that is drawn, and as many captions as every other one gets."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Pictures yet to be drawn, and what they are called: token ids [batch, 77], or [batch, captions, 77] as told."""

    layout: Layout
    tokens: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return self._moved(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """The same where a GPU can fetch it by itself; torch's loader calls this."""
        return self._moved(torch.Tensor.pin_memory)

    def _moved(self, move: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        return Batch(layout=self.layout.moved(move), tokens=move(self.tokens))


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """How scenes are drawn by lot.

    Attributes:
        size: scenes a batch.
        rise_steps: batches in which the levels rise to the last, and in which level 0 is exact: what is drawn in one
            arrangement for ever comes in it from every seed. 0 takes all levels from the start, none exact.
        empty_share: part of the captions that is left empty, so that the model learns to draw without a prompt.
        twins: every second scene is the one before it with other things.
        make_example: gives each scene several captions, and may have another one drawn.
    """

    size: int
    rise_steps: int = 0
    empty_share: float = 0.0
    twins: bool = False
    make_example: MakeExample | None = None


class _Batches(IterableDataset[Batch]):
    """Each worker makes its own share, from a seed that the number of the batch decides."""

    def __init__(self, plan: BatchPlan, tokenizer: Any, seed: int, first: int, last: int) -> None:
        self._plan, self._tokenizer = plan, tokenizer
        self._seed, self._first, self._last = seed, first, last

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        if worker:
            torch.set_num_threads(1)
        share, count = (worker.id, worker.num_workers) if worker else (0, 1)
        for number in range(self._first + share, self._last, count):
            yield self._make(number)

    def _make(self, number: int) -> Batch:
        rng = Random(f"{self._seed}/{number}")
        exact = number < self._plan.rise_steps
        made = [scenes.sample_scene(rng, self._level(rng, number), exact=exact) for _ in range(self._plan.size)]
        if self._plan.twins:
            made[1::2] = [scenes.twin(scene, rng) for scene in made[::2]]
        if self._plan.make_example:
            drawn, told = zip(*(self._plan.make_example(scene, rng) for scene in made), strict=True)
            tokens = tokenize(self._tokenizer, [words for captions in told for words in captions])
            return Batch(layout=Layout.of(drawn), tokens=tokens.unflatten(0, (len(made), -1)))
        words = ["" if rng.random() < self._plan.empty_share else caption(scene, rng) for scene in made]
        return Batch(layout=Layout.of(made), tokens=tokenize(self._tokenizer, words))

    def _level(self, rng: Random, number: int) -> int:
        """A level that may have come by this batch: level k is open from the k-th fifth of the rise on."""
        top = scenes.LEVELS - 1
        if self._plan.rise_steps:
            top = min(top, int(5 * number / self._plan.rise_steps))
        return rng.choices(range(top + 1), [1 + level for level in range(top + 1)])[0]


def batches(plan: BatchPlan, tokenizer: Any, *, seed: int, first: int, last: int, workers: int) -> Iterator[Batch]:
    """The batches `first` to `last`, the same whatever went before and however many workers there are.

    Args:
        plan: what is in them.
        tokenizer: of CLIP's kind.
        seed: other seeds give other scenes.
        first: number of the first, where a run goes on.
        last: number after the last.
        workers: processes that compose; 0 composes between the steps.
    """
    data = _Batches(plan, tokenizer, seed, first, last)
    ahead = 8 if workers else None
    pinned = workers > 0 and torch.cuda.is_available()
    return iter(DataLoader(data, batch_size=None, num_workers=workers, prefetch_factor=ahead, pin_memory=pinned))
