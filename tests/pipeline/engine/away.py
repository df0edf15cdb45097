"""A stand-in for a device with memory of its own: the weights of a group are NaN while it is not on the device."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from diffusers.hooks.group_offloading import ModuleGroup

from pipeline.engine.models import cache, loading, sizes


class Away:
    """What groups have brought to the device, in the real hooks of diffusers.

    Attributes:
        transferred: bytes that came to the device.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.transferred = 0
        self._kept: dict[int, torch.Tensor] = {}
        for module in (cache, loading, sizes):
            patch.setattr(module, "has_own_memory", lambda device: device.type == "cpu")

        def offload(group: ModuleGroup) -> None:
            self._take(group)

        def onload(group: ModuleGroup) -> None:
            self._bring(group)

        patch.setattr(ModuleGroup, "offload_", offload)
        patch.setattr(ModuleGroup, "onload_", onload)

    def _take(self, group: Any) -> None:
        for tensor in _tensors(group):
            if id(tensor) not in self._kept:
                self._kept[id(tensor)] = tensor.data
                nothing = float("nan") if tensor.is_floating_point() else 0
                tensor.data = torch.full_like(tensor.data.float(), nothing).to(tensor.dtype)

    def _bring(self, group: Any) -> None:
        for tensor in _tensors(group):
            kept = self._kept.pop(id(tensor), None)
            if kept is not None:
                tensor.data = kept
                self.transferred += kept.numel() * kept.element_size()


def _tensors(group: Any) -> Iterator[torch.Tensor]:
    for part in group.modules:
        yield from (*part.parameters(), *part.buffers())
    yield from (*group.parameters, *group.buffers)
