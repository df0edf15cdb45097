"""Encodes text with a language model, which reads it as a message of a chat; brackets are plain text."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import torch
from diffusers.pipelines.flux2.pipeline_flux2 import format_input

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.prompt_words import cut_from

MAX_TOKENS: Final = 512
"""Number of tokens, with those of the template, that diffusers' pipelines let such models read."""

_CACHED: Final = 32
"""Number of encoded texts in the cache; one of Z-Image takes at most 2.6 MB in half precision."""


class ChatText:
    """Tokenizer and language model.

    Args:
        tokenizer: a fast tokenizer with a template of chats.
        text_encoder: the language model on its device.
        placement: device and precision.
        layers: indices of the hidden states whose features stand side by side; 0 is the input of the first layer.
        thinks: the template's `enable_thinking`.
    """

    def __init__(
        self, tokenizer: Any, text_encoder: Any, placement: Placement, *, layers: Sequence[int], thinks: bool
    ) -> None:
        self._tokenizer = tokenizer
        self._text_encoder = text_encoder.eval().requires_grad_(False)
        self._placement = placement
        self._layers = tuple(layers)
        self._thinks = thinks
        self._known: OrderedDict[str, tuple[torch.Tensor, torch.Tensor]] = OrderedDict()

    def cut(self, text: str) -> str:
        """Part of a text beyond the token limit, from the start of a word; empty when the whole text fits."""
        message = self._message(text)
        encoded = self._tokenizer(message, return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) <= MAX_TOKENS:
            return ""
        # The template stands around the text; perhaps only its end does not fit.
        start = max(0, encoded["offset_mapping"][MAX_TOKENS][0] - message.find(text))
        return cut_from(text, start) if start < len(text) else ""

    @torch.inference_mode()
    def encode(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode a text.

        Returns:
            Features [1, MAX_TOKENS, features of all layers], and a mask [MAX_TOKENS] without the tokens that fill up.
        """
        known = self._known.pop(text, None)
        if known is None:
            known = self._encoded(text)
        self._known[text] = known
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return known

    def _encoded(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        row, device = self._row(text), self._placement.device
        mask = row["attention_mask"].to(device)
        answer = self._text_encoder(
            input_ids=row["input_ids"].to(device), attention_mask=mask, output_hidden_states=True, use_cache=False
        )
        features = torch.cat([answer.hidden_states[layer] for layer in self._layers], dim=-1)
        return features.to(self._placement.dtype), mask[0].bool()

    def _row(self, text: str) -> Any:
        """`input_ids` and `attention_mask`, [1, MAX_TOKENS] each."""
        return self._tokenizer(
            self._message(text), padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
        )

    def _message(self, text: str) -> str:
        """The text as the only message of a chat, before an answer."""
        return self._tokenizer.apply_chat_template(
            [{"role": "user", "content": text}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=self._thinks,
        )


class SystemText(ChatText):
    """A processor and its language model, which reads a text after FLUX.2's message of the system.

    Args:
        processor: a processor with a template of chats and a fast tokenizer.
        text_encoder: the language model on its device.
        placement: device and precision.
        layers: see `ChatText`.
    """

    def __init__(self, processor: Any, text_encoder: Any, placement: Placement, *, layers: Sequence[int]) -> None:
        super().__init__(processor.tokenizer, text_encoder, placement, layers=layers, thinks=False)
        self._processor = processor

    def _row(self, text: str) -> Any:
        return self._processor.apply_chat_template(
            format_input([text]),
            add_generation_prompt=False,
            tokenize=True,
            return_dict=True,
            processor_kwargs={
                "return_tensors": "pt",
                "padding": "max_length",
                "truncation": True,
                "max_length": MAX_TOKENS,
            },
        )

    def _message(self, text: str) -> str:
        (message,) = self._processor.apply_chat_template(format_input([text]), tokenize=False)
        return message
