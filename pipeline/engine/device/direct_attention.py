"""Attention layers that call their processor and do nothing else.

Those of diffusers read the processor's signature at each call, to warn of arguments that it does not take. There are
32 of them in a U-Net of Stable Diffusion; for a small model it is a thirtieth of a forward.
"""

from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import nn


class DirectAttention(Attention):
    """The same layer, for callers who give it what its processor takes."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **cross_attention_kwargs: Any,
    ) -> torch.Tensor:
        """[rows, tokens, channels] to the same; what it attends to is of the same shape but for its tokens."""
        return self.processor(
            self,
            hidden_states,
            encoder_hidden_states=encoder_hidden_states,
            attention_mask=attention_mask,
            **cross_attention_kwargs,
        )


def make_direct(module: nn.Module) -> None:
    """Let every attention layer inside be a direct one; weights, names and processors stay."""
    for part in module.modules():
        if type(part) is Attention:
            part.__class__ = DirectAttention
