"""Encodes text for a T5 encoder: a fixed number of tokens, with brackets read as plain text."""

from collections import OrderedDict
from typing import Any, Final

import torch

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.prompt_words import cut_from

MAX_TOKENS: Final = 256
"""Number of tokens, with the end token, that Stable Diffusion 3 was trained with."""

_CACHED: Final = 32
"""Number of encoded texts in the cache; one of Stable Diffusion 3 takes 2 MiB in half precision."""


class T5Text:
    """Tokenizer and encoder of a T5 model; without T5 the features are zeros.

    Args:
        tokenizer: a fast T5 tokenizer; None without T5.
        text_encoder: T5's encoder on its device; None without T5.
        placement: device and precision.
        features: number of features of each token.
    """

    def __init__(self, tokenizer: Any, text_encoder: Any, placement: Placement, features: int) -> None:
        self._tokenizer = tokenizer
        self._text_encoder = None if text_encoder is None else text_encoder.eval().requires_grad_(False)
        self._placement = placement
        self._features = features
        self._known: OrderedDict[str, torch.Tensor] = OrderedDict()

    @property
    def is_there(self) -> bool:
        """True when the model has T5."""
        return self._text_encoder is not None

    def cut(self, text: str) -> str:
        """Part of a text beyond the token limit, from the start of a word; empty when the whole text fits."""
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) < MAX_TOKENS:
            return ""
        return cut_from(text, encoded["offset_mapping"][MAX_TOKENS - 1][0])

    @torch.inference_mode()
    def encode(self, text: str) -> torch.Tensor:
        """Encode a text to [1, MAX_TOKENS, features]."""
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
