"""Matrices of LoRAs as further inputs of a network's forward pass."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import torch

from pipeline.engine.loras.files import Pair

_INPUT: Final = "lora"
"""Begin of the names of inputs that are matrices: `lora 0 down to_q`, with the index of the rank in a module."""


class Stacks:
    """Matrices of the rows of a forward pass.

    Args:
        pairs: stacked pairs by module, one for each rank, in the order of ranks; the first dimension is the rows.
    """

    def __init__(self, pairs: Mapping[str, list[Pair]]) -> None:
        self.pairs = pairs

    @cached_property
    def inputs(self) -> Mapping[str, torch.Tensor]:
        """The same matrices as inputs of a compiled network, which stay the same tensors."""
        return {name: matrix.contiguous() for name, matrix in _inputs_of(self.pairs).items()}


NO_STACKS: Final = Stacks({})


def _inputs_of(stacks: Mapping[str, list[Pair]]) -> dict[str, torch.Tensor]:
    """Matrices as inputs by name, in alphabetical order of the modules."""
    return {
        f"{_INPUT} {place} {side} {name}": matrix
        for name in sorted(stacks)
        for place, stack in enumerate(stacks[name])
        for side, matrix in (("down", stack.down), ("up", stack.up))
    }


def stacks_in(inputs: Mapping[str, torch.Tensor]) -> Stacks:
    """Matrices among these inputs: the inverse of `Stacks.inputs`."""
    stacks: dict[str, list[Pair]] = {}
    for key, down in inputs.items():
        start, _, name = key.partition(" down ")
        if start.startswith(_INPUT) and name:
            stacks.setdefault(name, []).append(Pair(down, inputs[f"{start} up {name}"]))
    return Stacks(stacks)


def without_stacks(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """These inputs without the matrices."""
    return {name: tensor for name, tensor in inputs.items() if not name.startswith(_INPUT)}
