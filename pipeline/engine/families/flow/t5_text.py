"""Encodes text for a T5 encoder: a fixed number of tokens, with brackets read as plain text."""

from collections import OrderedDict
from typing import Any, Final

import torch

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.prompt_words import cut_from

MAX_TOKENS: Final = 256
"""Number of tokens, with the end token, that Stable Diffusion 3 was trained with."""

_CACHED: Final = 32
"""Number of encoded texts in the cache; one of Stable Diffusion 3 takes 2 MiB in half precision, one of FLUX.1 4."""


class T5Text:
    """Tokenizer and encoder of a T5 model; without T5 the features are zeros.

    Args:
        tokenizer: a fast T5 tokenizer; None without T5.
        text_encoder: T5's encoder on its device; None without T5.
        placement: device and precision.
        features: number of features of each token.
        count: number of tokens of every text, with the end token.
        is_masked: True when T5 does not see the tokens that only fill up.
    """

    def __init__(
        self,
        tokenizer: Any,
        text_encoder: Any,
        placement: Placement,
        features: int,
        *,
        count: int = MAX_TOKENS,
        is_masked: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self._text_encoder = None if text_encoder is None else text_encoder.eval().requires_grad_(False)
        self._placement = placement
        self._features = features
        self._count = count
        self._is_masked = is_masked
        self._known: OrderedDict[str, torch.Tensor] = OrderedDict()

    @property
    def is_there(self) -> bool:
        """True when the model has T5."""
        return self._text_encoder is not None

    def cut(self, text: str) -> str:
        """Part of a text beyond the token limit, from the start of a word; empty when the whole text fits."""
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) < self._count:
            return ""
        return cut_from(text, encoded["offset_mapping"][self._count - 1][0])

    def length(self, text: str) -> int:
        """Number of a text's tokens that are encoded, with the end token."""
        return min(self._count, len(self._tokenizer(text, verbose=False)["input_ids"]))

    @torch.inference_mode()
    def encode(self, text: str) -> torch.Tensor:
        """Encode a text to [1, count, features]."""
        device, dtype = self._placement.device, self._placement.dtype
        if self._text_encoder is None:
            return torch.zeros((1, self._count, self._features), device=device, dtype=dtype)
        known = self._known.pop(text, None)
        if known is None:
            row = self._tokenizer(
                text, padding="max_length", max_length=self._count, truncation=True, return_tensors="pt"
            )
            mask = row.attention_mask.to(device) if self._is_masked else None
            known = self._text_encoder(row.input_ids.to(device), attention_mask=mask)[0].to(dtype)
        self._known[text] = known
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return known
