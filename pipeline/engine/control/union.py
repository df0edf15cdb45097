"""ControlNet unions, whose rows must not see each other.

The attention of `ControlNetUnionModel` takes the rows of a forward pass for a sequence, so that each row attends to all
others. This is a mistake of its first release that diffusers repeats. In a pipeline with one image it has no effect,
because there all rows have the same picture and latents. Here the rows belong to different jobs.
"""

import torch
from diffusers.models.controlnets.controlnet_union import ResidualAttentionBlock
from torch import nn


class SeparateRows(ResidualAttentionBlock):
    """Attention of a union in which each row attends to itself alone, as in a forward pass of one row."""

    def attention(self, x: torch.Tensor) -> torch.Tensor:
        """Map [rows, pictures + 1, features] to the same shape."""
        # The first dimension is the sequence, with one entry; the second is the batch.
        return super().attention(x.reshape(1, -1, x.shape[-1])).reshape(x.shape)


def separate_rows(module: nn.Module) -> None:
    """Make all attention between a union's rows attend to each row alone; weights and names stay."""
    for part in module.modules():
        if type(part) is ResidualAttentionBlock:
            part.__class__ = SeparateRows
