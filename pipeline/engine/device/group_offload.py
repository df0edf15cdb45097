"""Networks that wait in RAM and come to the device in groups, each while it runs: diffusers' group offloading.

A group comes as it is and goes without being changed, so a picture has the bits that it has without this. On CUDA the
next group comes while one computes, and at most two are there at once.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import torch
from diffusers.hooks.group_offloading import apply_group_offloading
from torch import nn

_HOOK: Final = "group_offloading"
"""Name of diffusers' hook."""
AT_ONCE: Final = 2
"""Groups on the device at once: the one that computes, and the one that comes."""

Groups = Literal["layers", "blocks"]
"""What comes at once: a layer, in whatever order layers are called, or one of the network's repeated blocks."""


_BLOCK: Final = re.compile(r"(?:model\.diffusion_model\.)?(?!input_blocks|middle_block|output_blocks)([^.]+\.\d+)\.")
"""Beginning of the names of a block's tensors.

Checkpoints of U-Nets name parts of blocks, so the sizes of blocks do not show. These count as if all were there.
"""


def keep_in_ram(network: nn.Module, groups: Groups, device: torch.device) -> None:
    """Let a network in RAM come to the device in groups from now on; it must not be moved otherwise any more.

    Args:
        network: the network; nothing replaces its layers or their forwards afterwards.
        groups: what comes at once.
        device: device that computes.
    """
    is_streamed = device.type == "cuda"
    with torch.inference_mode(mode=False):
        apply_group_offloading(
            network,
            onload_device=device,
            offload_type="leaf_level" if groups == "layers" else "block_level",
            num_blocks_per_group=None if groups == "layers" else 1,
            use_stream=is_streamed,
            non_blocking=is_streamed,
        )


def is_in_ram(network: nn.Module) -> bool:
    """True when a network comes to the device in groups."""
    return next(_groups(network), None) is not None


def most_bytes(network: nn.Module) -> int:
    """Greatest number of bytes that a network in RAM has on the device at once: what stands around its groups, and two.

    Args:
        network: a network after `keep_in_ram`.
    """
    around, others, seen = 0, list[int](), set[int]()
    for group in _groups(network):
        # Layers may share their weights, as the table of words and the last layer of a language model do.
        tensors = {number: tensor for number, tensor in _tensors_of(group).items() if number not in seen}
        seen |= tensors.keys()
        size = sum(tensor.nbytes for tensor in tensors.values())
        if group.offload_leader is network:
            around += size
        else:
            others.append(size)
    return around + sum(sorted(others)[-AT_ONCE:])


def bytes_at_once(sizes: Mapping[str, int], groups: Groups) -> int:
    """Expected bytes that a network has on the device at once while the rest of it waits in RAM.

    Args:
        sizes: bytes of each tensor, by its name in a file.
        groups: what comes at once. Blocks have a number in their names; all else is there during a whole pass.
    """
    if groups == "layers":
        return sum(sorted(sizes.values())[-AT_ONCE:])
    around, blocks = 0, dict[str, int]()
    for name, size in sizes.items():
        found = _BLOCK.match(name)
        if found is None:
            around += size
        else:
            blocks[found[1]] = blocks.get(found[1], 0) + size
    return around + sum(sorted(blocks.values())[-AT_ONCE:])


def all_bytes(network: nn.Module) -> int:
    """Bytes of all groups of a network in RAM."""
    return sum(tensor.nbytes for group in _groups(network) for tensor in _tensors_of(group).values())


def _groups(network: nn.Module) -> Iterator[Any]:
    """Each group of diffusers' hooks once."""
    seen: set[int] = set()
    for part in network.modules():
        registry: Any = getattr(part, "_diffusers_hook", None)
        hook = None if registry is None else registry.get_hook(_HOOK)
        if hook is not None and id(hook.group) not in seen:
            seen.add(id(hook.group))
            yield hook.group


def _tensors_of(group: Any) -> dict[int, torch.Tensor]:
    """Tensors of a group by their identity."""
    tensors = [*group.parameters, *group.buffers]
    tensors += [tensor for part in group.modules for tensor in (*part.parameters(), *part.buffers())]
    return {id(tensor): tensor for tensor in tensors}
