"""Memory of models: budget, size of weights, and moves between the device and host memory."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from pipeline.engine.device.group_offload import all_bytes, is_in_ram, most_bytes
from pipeline.engine.device.placement import Placement

AUTO_SHARE: Final = 0.7
"""Default share of the memory for loaded models; the rest is for the activations of forward passes."""

_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Files with a container's memory limit: cgroup version 2, then version 1."""


def has_own_memory(device: torch.device) -> bool:
    """True when the device has memory of its own, so that offloading frees some of it."""
    return device.type == "cuda"


def budget_bytes(placement: Placement, model_memory_mb: int) -> int:
    """Memory budget of loaded models in bytes; 0 MB means `AUTO_SHARE` of the device's or the host's memory."""
    if model_memory_mb:
        return model_memory_mb << 20
    return int(AUTO_SHARE * (placement.vram_bytes or computer_bytes()))


def computer_bytes() -> int:
    """Memory of this computer in bytes, or of the container when its limit is lower."""
    pages: int = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [path.read_text(encoding="ascii").strip() for path in _LIMITS if path.exists()]
    return min([pages, *(int(limit) for limit in limits if limit.isdigit())])


def size_of(modules: Iterable[nn.Module]) -> int:
    """Bytes of all parameters and buffers on the device; shared ones count once.

    A network that waits in RAM counts with the most that it has on the device at once.
    """
    known = [*modules]
    moved = sum(tensor.numel() * tensor.element_size() for tensor in _tensors(known))
    return moved + sum(most_bytes(each) for each in known if is_in_ram(each))


def ram_size_of(modules: Iterable[nn.Module]) -> int:
    """Bytes of the networks that wait in RAM, of which `size_of` counts a part."""
    return sum(all_bytes(each) for each in modules if is_in_ram(each))


@torch.inference_mode(mode=False)
def offload(modules: Iterable[nn.Module]) -> None:
    """Move weights to host memory; weights from a CUDA device get pinned memory, which copies back faster."""
    for tensor in _tensors(modules):
        host = torch.empty_like(tensor, device="cpu", pin_memory=tensor.device.type == "cuda")
        host.copy_(tensor.data)
        tensor.data = host


@torch.inference_mode(mode=False)
def restore(modules: Iterable[nn.Module], device: torch.device) -> None:
    """Move weights to the device without changing a bit."""
    # The source tensors stay alive until the asynchronous copies are done.
    pages: list[torch.Tensor] = []
    for tensor in _tensors(modules):
        pages.append(tensor.data)
        tensor.data = tensor.data.to(device, non_blocking=True, copy=True)
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _tensors(modules: Iterable[nn.Module]) -> Iterator[torch.Tensor]:
    """Each parameter and buffer that moves, once even when several modules share it; those that wait in RAM do not."""
    seen: set[int] = set()
    for module in modules:
        if is_in_ram(module):
            continue
        for tensor in (*module.parameters(), *module.buffers()):
            for part in _parts_of(tensor):
                if id(part) not in seen:
                    seen.add(id(part))
                    yield part


def _parts_of(tensor: Any) -> Iterator[torch.Tensor]:
    """The tensor itself, or those of which it consists: torchao wraps them, and bitsandbytes keeps scales beside it."""
    if is_traceable_wrapper_subclass(tensor):
        names, _ = tensor.__tensor_flatten__()
        yield from (getattr(tensor, name) for name in names)
        return
    yield tensor
    beside: Any = getattr(tensor, "quant_state", None)
    if beside is not None:
        yield from (beside.absmax, beside.code)
