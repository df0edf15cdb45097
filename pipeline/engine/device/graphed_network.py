"""CUDA graphs: a network's forward pass is recorded once for each shape, and replayed in a single launch."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch

from pipeline.engine.device.per_row_layers import is_watched, used

_KEPT: Final = 32
"""Number of recordings to keep: four row counts, for several picture sizes and text lengths."""
_WARM_UPS: Final = 3
"""Number of forward passes before a recording, as torch advises, so that libraries have chosen their kernels."""


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class _Recording:
    graph: Any
    inputs: dict[str, torch.Tensor]
    answer: torch.Tensor


class GraphedNetwork:
    """Callable that replaces an adapter's plain forward pass.

    Args:
        module: a diffusers network on its CUDA device.
        forward: runs one plain forward pass of it.
    """

    def __init__(self, module: Any, forward: Callable[[Mapping[str, torch.Tensor]], torch.Tensor]) -> None:
        self._module = module
        self._forward = forward
        self._recordings: OrderedDict[tuple[object, ...], _Recording] = OrderedDict()
        self._weights_at = 0

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Predictions [rows, c, h, w] for inputs by name, each with the same row count."""
        if is_watched(self._module):
            return self._forward(inputs)
        weights_at: int = next(self._module.parameters()).data_ptr()
        if weights_at != self._weights_at:
            # Recordings hold memory addresses. A model that was offloaded and restored has new addresses.
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
        # Another thread may decode pictures meanwhile. Its work must not become part of the recording.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            answer = self._forward(kept)
        return _Recording(graph=graph, inputs=kept, answer=answer)
