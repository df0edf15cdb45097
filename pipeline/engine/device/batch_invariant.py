"""Linear layers whose answer for a row does not hang on how many rows come with it."""

from typing import Final

import torch
from torch import nn
from torch.nn.functional import linear, pad

LEAST_ROWS: Final = 16
"""Fewer are filled up to so many: matrix libraries have kernels of their own for a handful of rows, which add in
another order than the one for many."""


class BatchInvariantLinear(nn.Linear):
    """The same layer; what has few rows is computed with zeros behind it."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name that nn.Linear has for it
        """[..., in_features] to [..., out_features]."""
        rows = input.numel() // self.in_features
        if rows >= LEAST_ROWS:
            return linear(input, self.weight, self.bias)
        if input.dim() > 2:  # noqa: PLR2004 - rows and features
            return self(input.reshape(rows, self.in_features)).reshape(*input.shape[:-1], self.out_features)
        return linear(pad(input, (0, 0, 0, LEAST_ROWS - rows)), self.weight, self.bias)[:rows]


def make_batch_invariant(module: nn.Module) -> None:
    """Let every linear layer inside be a steady one; weights and names stay."""
    for part in module.modules():
        if type(part) is nn.Linear:
            part.__class__ = BatchInvariantLinear
