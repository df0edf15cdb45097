"""Copies a network to the CPU, for work that does not fit the device's memory."""

import copy

import torch
from torch import nn


def on_processor(network: nn.Module) -> nn.Module:
    """Copy a network to host memory, in float32 or better; the copy needs no device memory.

    The network itself is not moved, because other threads may be using it.
    """
    copies: dict[int, torch.Tensor] = {}
    for tensor in (*network.parameters(), *network.buffers()):
        twin = tensor.detach().to("cpu")
        if tensor.dtype in (torch.float16, torch.bfloat16):
            twin = twin.float()
        if twin is tensor or twin.data_ptr() == tensor.data_ptr():
            twin = twin.clone()
        copies[id(tensor)] = nn.Parameter(twin, requires_grad=False) if isinstance(tensor, nn.Parameter) else twin
    # deepcopy skips tensors in the memo, so no tensor is copied on the device first.
    return copy.deepcopy(network, copies)
