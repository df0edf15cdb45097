"""A network once more on the processor, for what the device has no room for."""

import copy

import torch
from torch import nn


def on_processor(network: nn.Module) -> nn.Module:
    """A copy in the computer's memory, at least in float32; it takes nothing of the device's.

    The network itself stays where it is, since other threads may be using it.
    """
    moved: dict[int, torch.Tensor] = {}
    for tensor in (*network.parameters(), *network.buffers()):
        twin = tensor.detach().to("cpu")
        if tensor.dtype in (torch.float16, torch.bfloat16):
            twin = twin.float()
        if twin is tensor or twin.data_ptr() == tensor.data_ptr():
            twin = twin.clone()
        moved[id(tensor)] = nn.Parameter(twin, requires_grad=False) if isinstance(tensor, nn.Parameter) else twin
    # What is in the memo counts as copied already, so that nothing is copied on the device first.
    return copy.deepcopy(network, moved)
