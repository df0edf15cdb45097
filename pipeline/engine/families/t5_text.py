"""Text for a T5 encoder: so many tokens and no more, brackets as they were typed."""

from collections import OrderedDict
from typing import Any, Final

import torch

from pipeline.engine.device.placement import Placement

MAX_TOKENS: Final = 256
"""What Stable Diffusion 3 was trained with, the end mark included."""

_CACHED: Final = 32
"""Encoded texts; one of Stable Diffusion 3 takes 2 MiB in half precision."""


class T5Text:
    """Tokenizer and encoder of a T5 model, or zeros where a model is used without it.

    Args:
        tokenizer: a fast T5 tokenizer; None without T5.
        text_encoder: its encoder, on its device; None without T5.
        placement: where it lives.
        features: of each token.
    """

    def __init__(self, tokenizer: Any, text_encoder: Any, placement: Placement, features: int) -> None:
        self._tokenizer = tokenizer
        self._text_encoder = None if text_encoder is None else text_encoder.eval().requires_grad_(False)
        self._placement = placement
        self._features = features
        self._known: OrderedDict[str, torch.Tensor] = OrderedDict()

    @property
    def is_there(self) -> bool:
        """It reads anything."""
        return self._text_encoder is not None

    def cut(self, text: str) -> str:
        """The end of a text that does not fit, from the start of its first word; empty where all fits."""
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) < MAX_TOKENS:
            return ""
        start: int = encoded["offset_mapping"][MAX_TOKENS - 1][0]
        while start > 0 and not text[start - 1].isspace():
            start -= 1
        return text[start:].strip()

    @torch.inference_mode()
    def encode(self, text: str) -> torch.Tensor:
        """Text to [1, MAX_TOKENS, features]."""
        device, dtype = self._placement.device, self._placement.dtype
        if self._text_encoder is None:
            return torch.zeros((1, MAX_TOKENS, self._features), device=device, dtype=dtype)
        known = self._known.pop(text, None)
        if known is None:
            row = self._tokenizer(
                text, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
            ).input_ids
            known = self._text_encoder(row.to(device))[0].to(dtype)
        self._known[text] = known
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return known
