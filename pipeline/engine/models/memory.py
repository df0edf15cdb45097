"""Where a model's weights lie and how much they take: on the device, or offloaded to the computer's memory."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import torch
from torch import nn

from pipeline.engine.device.placement import Placement

AUTO_SHARE: Final = 0.7
"""Of the memory that models may fill where no setting says it; the rest is for what a forward needs beside them."""

_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""What a container may use, in the two ways that Linux says it."""


def has_own_memory(device: torch.device) -> bool:
    """The device's memory is not the computer's, so offloading frees some of it."""
    return device.type == "cuda"


def budget_bytes(placement: Placement, model_memory_mb: int) -> int:
    """What loaded models may take on the device; 0 MB is the device's memory, or the computer's, in part."""
    if model_memory_mb:
        return model_memory_mb << 20
    return int(AUTO_SHARE * (placement.vram_bytes or computer_bytes()))


def computer_bytes() -> int:
    """Memory of this computer, or of the container where that has less."""
    pages: int = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [path.read_text(encoding="ascii").strip() for path in _LIMITS if path.exists()]
    return min([pages, *(int(limit) for limit in limits if limit.isdigit())])


def size_of(modules: Iterable[nn.Module]) -> int:
    """Bytes of all parameters and buffers, each counted once."""
    return sum(tensor.numel() * tensor.element_size() for tensor in _tensors(modules))


@torch.inference_mode(mode=False)
def offload(modules: Iterable[nn.Module]) -> None:
    """Move weights to the computer's memory: pages that stay where they are, if the device reads those faster."""
    for tensor in _tensors(modules):
        host = torch.empty_like(tensor, device="cpu", pin_memory=tensor.device.type == "cuda")
        host.copy_(tensor.data)
        tensor.data = host


@torch.inference_mode(mode=False)
def restore(modules: Iterable[nn.Module], device: torch.device) -> None:
    """Move weights to the device, bit by bit as they were."""
    # The pages are let go only when what was begun is done.
    pages: list[torch.Tensor] = []
    for tensor in _tensors(modules):
        pages.append(tensor.data)
        tensor.data = tensor.data.to(device, non_blocking=True, copy=True)
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _tensors(modules: Iterable[nn.Module]) -> Iterator[torch.Tensor]:
    """Each parameter and buffer once, however many modules share it."""
    seen: set[int] = set()
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor
