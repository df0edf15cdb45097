"""A network's forwards on CUDA, recorded once for each shape and replayed: nothing is launched piece by piece."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch

from pipeline.engine.device.per_row_layers import is_watched, used

_KEPT: Final = 32
"""Shapes whose recordings are kept: four row counts of some sizes and lengths of text."""
_WARM_UPS: Final = 3
"""Forwards before one is recorded, as torch asks for, so that libraries have chosen their kernels."""


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class _Recording:
    graph: Any
    inputs: dict[str, torch.Tensor]
    answer: torch.Tensor


class GraphedNetwork:
    """What an adapter calls in place of its plain forward.

    Args:
        module: of diffusers, on its CUDA device.
        forward: one plain forward of it.
    """

    def __init__(self, module: Any, forward: Callable[[Mapping[str, torch.Tensor]], torch.Tensor]) -> None:
        self._module = module
        self._forward = forward
        self._recordings: OrderedDict[tuple[object, ...], _Recording] = OrderedDict()
        self._weights_at = 0

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The answer [rows, c, h, w] of named inputs, each with as many rows."""
        if is_watched(self._module):
            return self._forward(inputs)
        weights_at: int = next(self._module.parameters()).data_ptr()
        if weights_at != self._weights_at:
            # Recordings know addresses; a model that rested elsewhere has come back to others.
            self._recordings.clear()
            self._weights_at = weights_at
        given = tuple((name, tensor.shape, tensor.dtype) for name, tensor in sorted(inputs.items()))
        key = (used(self._module), *given)
        recording = self._recordings.pop(key, None) or self._record(inputs)
        self._recordings[key] = recording
        if len(self._recordings) > _KEPT:
            self._recordings.popitem(last=False)
        for name, tensor in inputs.items():
            recording.inputs[name].copy_(tensor)
        recording.graph.replay()
        return recording.answer.clone()

    def _record(self, inputs: Mapping[str, torch.Tensor]) -> _Recording:
        kept = {name: tensor.clone() for name, tensor in inputs.items()}
        device = next(iter(kept.values())).device
        aside = torch.cuda.Stream(device)
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                self._forward(kept)
        torch.cuda.current_stream(device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        # Pictures are decoded in another thread meanwhile, which is no part of the recording.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            answer = self._forward(kept)
        return _Recording(graph=graph, inputs=kept, answer=answer)
