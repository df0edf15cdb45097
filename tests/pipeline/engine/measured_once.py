"""Row counts of forward passes, tried once a process for each network and size, without a clock."""

import math
from collections.abc import Callable
from typing import Final

import pytest
import torch

from pipeline.engine.steps.batching import shapes
from pipeline.engine.steps.batching.shapes import Shapes, _Trial
from pipeline.protocol.wire.settings import Batching

Measure = Callable[[_Trial, Batching], Shapes]

_MOST: Final = {torch.float32: 16 * 16 * 16, torch.float64: 4 * 16 * 16}
"""Pixels of latents in the largest forward: all row counts for pictures of 64 x 64, fewer for larger ones.

Tests in float64 compare latents with diffusers' within a tolerance, for which a forward of two jobs does. Those in
float32 look at what many rows do to bits.
"""


def remembering(measure: Measure) -> Measure:
    """`measure`, but each shape up to `_MOST` pays: a busy machine does not decide how many rows there are."""
    known: dict[object, Shapes] = {}

    def remembered(trial: _Trial, batching: Batching) -> Shapes:
        key = _key(trial, batching)
        if key not in known:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(trial, "timed", _seconds)
                patch.setattr(shapes, "LONGEST_FORWARD_S", float("inf"))
                patch.setattr(shapes, "ROW_COUNTS", _row_counts(trial))
                known[key] = measure(trial, batching)
        return known[key]

    return remembered


def _row_counts(trial: _Trial) -> tuple[int, ...]:
    most = _MOST.get(trial._placement.dtype, _MOST[torch.float32])
    pixels = math.prod(trial._rows[0].latents.shape[2:])
    return tuple(count for count in shapes.ROW_COUNTS if count == min(shapes.ROW_COUNTS) or count * pixels <= most)


def _seconds(count: int) -> float:
    """Of a forward, as devices have them: the more rows, the cheaper a row."""
    return 1 + count / 4


def _key(trial: _Trial, batching: Batching) -> object:
    """All that may change bits: another network or another size is tried anew, and so is one with spoiled layers."""
    network, row = trial._adapter.network, trial._rows[0]
    return (
        batching,
        trial._placement,
        torch.get_num_threads(),
        shapes.ROW_COUNTS,
        shapes._pinned,
        row.latents.shape,
        row.references is None,
        row.lora and row.lora.structure,
        *((name, tensor.shape) for name, tensor in sorted(row.conditioning.items())),
        *((name, type(part)) for name, part in network.named_modules()),
        *((name, weights.shape) for name, weights in network.state_dict().items()),
    )
