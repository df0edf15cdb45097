"""Attention layers that only call their processor.

The attention layers of diffusers inspect the processor's signature at each call, to warn of unknown arguments. A U-Net
of Stable Diffusion has 32 such layers. For a small model the inspection takes a thirtieth of a forward pass.
"""

from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import nn


class DirectAttention(Attention):
    """Attention layer without the check; callers must pass only arguments that the processor takes."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **cross_attention_kwargs: Any,
    ) -> torch.Tensor:
        """Map [rows, tokens, channels] to the same shape; the encoder states may have another number of tokens."""
        return self.processor(
            self,
            hidden_states,
            encoder_hidden_states=encoder_hidden_states,
            attention_mask=attention_mask,
            **cross_attention_kwargs,
        )


def make_direct(module: nn.Module) -> None:
    """Turn every attention layer of a module into a direct one; weights, names and processors stay."""
    for part in module.modules():
        if type(part) is Attention:
            part.__class__ = DirectAttention
