"""Batches of scenes and captions, composed in worker processes."""

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
"""From a scene: the scene to draw, and its captions. Every scene gets the same number of captions."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Layouts of the pictures, and token ids of their captions: [batch, 77], or [batch, captions, 77]."""

    layout: Layout
    tokens: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return self._moved(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """The batch in page-locked memory; torch's loader calls this."""
        return self._moved(torch.Tensor.pin_memory)

    def _moved(self, move: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        return Batch(layout=self.layout.moved(move), tokens=move(self.tokens))


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """Content of the batches.

    Attributes:
        size: scenes per batch.
        rise_steps: number of batches until all levels are in use. Level 0 is exact in these batches only: a thing
            with one arrangement in all of training gets that arrangement from every seed. 0 uses all levels from the
            start, without exact ones.
        empty_share: share of the empty captions, with which the model learns to draw without a prompt.
        twins: whether every second scene repeats the one before it with other things.
        make_example: gives each scene several captions, and may replace the scene.
    """

    size: int
    rise_steps: int = 0
    empty_share: float = 0.0
    twins: bool = False
    make_example: MakeExample | None = None


class _Batches(IterableDataset[Batch]):
    """Each worker makes a share of the batches. The number of a batch is part of its seed."""

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
            drawn, captions = zip(*(self._plan.make_example(scene, rng) for scene in made), strict=True)
            tokens = tokenize(self._tokenizer, [text for texts in captions for text in texts])
            return Batch(layout=Layout.of(drawn), tokens=tokens.unflatten(0, (len(made), -1)))
        words = ["" if rng.random() < self._plan.empty_share else caption(scene, rng) for scene in made]
        return Batch(layout=Layout.of(made), tokens=tokenize(self._tokenizer, words))

    def _level(self, rng: Random, number: int) -> int:
        """A random level. Level k is in use from the k-th fifth of the rise on."""
        top = scenes.LEVELS - 1
        if self._plan.rise_steps:
            top = min(top, int(5 * number / self._plan.rise_steps))
        return rng.choices(range(top + 1), [1 + level for level in range(top + 1)])[0]


def batches(plan: BatchPlan, tokenizer: Any, *, seed: int, first: int, last: int, workers: int) -> Iterator[Batch]:
    """Iterate over the batches from `first` up to `last`, excluding `last`.

    A batch depends on its number and the seed alone, so an interrupted run goes on with the same batches.

    Args:
        plan: content of the batches.
        tokenizer: a CLIP tokenizer.
        seed: seed of the scenes and captions.
        first: number of the first batch.
        last: number after the last batch.
        workers: processes that compose batches; 0 composes them in this process.
    """
    data = _Batches(plan, tokenizer, seed, first, last)
    ahead = 8 if workers else None
    pinned = workers > 0 and torch.cuda.is_available()
    return iter(DataLoader(data, batch_size=None, num_workers=workers, prefetch_factor=ahead, pin_memory=pinned))
