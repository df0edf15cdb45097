"""Batch-invariant linear layers: the output for a row does not depend on the number of rows."""

from typing import Final

import torch
from torch import nn
from torch.nn.functional import linear, pad

LEAST_ROWS: Final = 16
"""Least number of rows in a product; fewer rows are padded.

Matrix libraries have special kernels for a few rows, which add in another order than the kernel for many rows.
"""


class BatchInvariantLinear(nn.Linear):
    """Linear layer that pads inputs of few rows with zeros."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name that nn.Linear has for it
        """Map [..., in_features] to [..., out_features]."""
        rows = input.numel() // self.in_features
        if rows >= LEAST_ROWS:
            return linear(input, self.weight, self.bias)
        if input.dim() > 2:  # noqa: PLR2004 - rows and features
            return self(input.reshape(rows, self.in_features)).reshape(*input.shape[:-1], self.out_features)
        return linear(pad(input, (0, 0, 0, LEAST_ROWS - rows)), self.weight, self.bias)[:rows]


def make_batch_invariant(module: nn.Module) -> None:
    """Turn every linear layer of a module into a batch-invariant one; weights and names stay."""
    for part in module.modules():
        if type(part) is nn.Linear:
            part.__class__ = BatchInvariantLinear
