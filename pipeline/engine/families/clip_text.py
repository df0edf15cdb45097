"""Encodes prompts of any length, with token weights, for a CLIP text encoder, as A1111 does.

A1111's method makes prompts copied from elsewhere look the same. Chunks of 75 tokens are encoded separately and joined.
Each token's features are multiplied by its weight. That shifts the mean of the chunk, so the mean is restored. A1111
takes the mean over all prompts of a batch; here each prompt has its own, so that other jobs cannot change a picture.
Features of an earlier layer without the final norm have no meaningful mean, so it is not restored there. An embedding's
vectors replace token vectors before the first layer, as in diffusers' `load_textual_inversion`.
"""

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import msgspec
import torch

from pipeline.engine.device.acceleration import part_runner
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.choosing import LoraKey
from pipeline.engine.loras.mentioning import Marks
from pipeline.prompts.chunks import Chunk, Chunked, Token, in_chunks
from pipeline.prompts.emphasis import Fragment, read_emphasis

MAX_CHUNKS: Final = 8
"""Greatest number of chunks: 600 tokens, which is more than 2,000 characters of English."""

PENULTIMATE: Final = 2
"""Second-last layer, whose features Stable Diffusion XL and 3 were trained with."""

_CACHED: Final = 256
"""Number of encoded chunks in the cache; one of Stable Diffusion 1.5 takes 116 KiB in half precision."""
_SMALL_RATIO, _LARGE_RATIO = 0.5, 2.0
"""Limits of the factor that restores a mean; beyond them the mean is noise around 0 and the factor is arbitrary."""


_NO_MARKS: Final[Marks] = MappingProxyType({})
_PLACEHOLDER: Final = 0
"""Token id in the place of an embedding's vector; it must not be a start or end token, which CLIP looks for."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector of an embedding that replaces a token; equal when file and row are equal.

    Attributes:
        digest: SHA-256 of the file.
        row: index of the vector in the file.
        numbers: [features].
    """

    digest: str
    row: int
    numbers: torch.Tensor = field(compare=False)


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """Output of a text encoder for one chunk.

    Attributes:
        tokens: features of each token, [1, capacity + 2, features].
        pooled: one vector for the chunk, [1, projection]; None when the encoder has no projection.
    """

    tokens: torch.Tensor
    pooled: torch.Tensor | None


class ClipText:
    """Tokenizer and text encoder of a CLIP model.

    Args:
        tokenizer: a fast CLIP tokenizer.
        text_encoder: a CLIP text model on its device, with or without a projection.
        placement: device and precision.
        layer: layer whose features are used, counted from the last as 1; A1111 calls it clip skip.
        has_norm: apply the final norm after an earlier layer too, as for Stable Diffusion 1.x; False for XL.
        place: index of this text encoder in the model, from 0; it selects the embedding's part.
        pools_last: True for the pooled output of an encoder without a projection, as FLUX.1 reads it.

    Raises:
        ModelUnavailable: the text encoder has fewer layers than `layer`.
    """

    def __init__(
        self,
        tokenizer: Any,
        text_encoder: Any,
        placement: Placement,
        *,
        layer: int = 1,
        has_norm: bool = True,
        place: int = 0,
        pools_last: bool = False,
    ) -> None:
        layers = int(text_encoder.config.num_hidden_layers)
        if layer > layers:
            raise ModelUnavailable(f"The clip_skip is {layer}, but a text encoder of the model has {layers} layers.")
        self._tokenizer = tokenizer
        self._text_encoder = text_encoder.eval().requires_grad_(False)
        self._placement = placement
        self._layer = layer
        self._has_norm = has_norm
        self._place = place
        self._pools_last = pools_last
        # A tokenizer without its configuration file reports no limit, so the encoder's limit counts too.
        longest = min(tokenizer.model_max_length, text_encoder.config.max_position_embeddings)
        self._capacity: int = longest - 2
        self._comma: int = tokenizer(",", add_special_tokens=False)["input_ids"][0]
        self._has_mask = bool(getattr(text_encoder.config, "use_attention_mask", False))
        self._known: OrderedDict[tuple[tuple[Hashable, ...], LoraKey], Features] = OrderedDict()
        words: Any = text_encoder.get_input_embeddings()
        self._width: int = words.embedding_dim
        self._vectors: Mapping[int, Vector] = {}
        words.register_forward_hook(self._put_vectors)
        self._features_width = int(text_encoder.config.hidden_size)
        self._unchanged = part_runner(self._text_encoder, self._plain, placement)

    @property
    def width(self) -> int:
        """Length of a token's vector before the first layer."""
        return self._width

    def chunks(self, text: str, marks: Marks = _NO_MARKS) -> Chunked:
        """Parse a text's emphasis and split it into chunks.

        Args:
            text: the text; letters in `marks` stand for embeddings.
            marks: embeddings by letter.
        """
        chunked = in_chunks(
            read_emphasis(text),
            lambda part: list(self._marked_tokens(part, marks)),
            comma=self._comma,
            capacity=self._capacity,
            most=MAX_CHUNKS,
        )
        return Chunked(chunked.chunks, "".join(marks[sign].typed if sign in marks else sign for sign in chunked.cut))

    def verbatim(self, text: str) -> Chunked:
        """One chunk of a text, with brackets read as plain text."""
        parts = (Fragment(text, 1.0),)
        return in_chunks(parts, self._tokens, comma=self._comma, capacity=self._capacity, most=1)

    def encode(self, chunks: tuple[Chunk, ...], count: int, loras: LoraKey = ()) -> torch.Tensor:
        """Encode chunks to [1, count * (capacity + 2), features]; empty chunks fill up the end.

        Args:
            chunks: chunks of one text.
            count: number of chunks in the result.
            loras: LoRAs that are active in the text encoder during this call.
        """
        padded = [*chunks, *[Chunk((), ())] * (count - len(chunks))]
        return torch.cat([self._weighted(chunk, loras) for chunk in padded], dim=1)

    def pooled(self, chunks: tuple[Chunk, ...], loras: LoraKey = ()) -> torch.Tensor:
        """Pooled vector of the first chunk, [1, projection]; token weights do not affect it.

        Args:
            chunks: chunks of one text.
            loras: LoRAs that are active in the text encoder during this call.

        Raises:
            ModelUnavailable: the encoder has no projection.
        """
        pooled = self._encoded(chunks[0].numbers, loras).pooled
        if pooled is None:
            raise ModelUnavailable("One of the model's text encoders has no projection; it is made for another family.")
        return pooled

    def _tokens(self, text: str) -> list[Token]:
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        pairs = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        return [Token((number,), start) for number, (start, _) in pairs]

    def _marked_tokens(self, text: str, marks: Marks) -> Iterator[Token]:
        """Tokens of a text in which single letters may stand for embeddings."""
        if not marks:
            yield from self._tokens(text)
            return
        for part in re.finditer(f"[{''.join(marks)}]|[^{''.join(marks)}]+", text):
            mark = marks.get(part[0])
            if mark is None:
                for token in self._tokens(part[0]):
                    yield Token(token.numbers, part.start() + token.start)
            else:
                digest, rows = mark.embedding.digest, mark.embedding.vectors[self._place]
                vectors = tuple(Vector(digest, row, numbers) for row, numbers in enumerate(rows))
                yield Token(vectors, part.start(), is_embedding=True)

    def _put_vectors(self, module: Any, args: Any, output: torch.Tensor) -> torch.Tensor | None:
        """Hook: replace token vectors [1, capacity + 2, features] by the vectors of embeddings."""
        del module, args
        if not self._vectors:
            return None
        output = output.clone()
        for position, vector in self._vectors.items():
            output[0, position] = vector.numbers.to(output)
        return output

    def _weighted(self, chunk: Chunk, loras: LoraKey) -> torch.Tensor:
        """Weighted features [1, capacity + 2, features], with the mean restored when it is meaningful."""
        plain = self._encoded(chunk.numbers, loras).tokens
        if all(weight == 1.0 for weight in chunk.weights):
            return plain
        weights = torch.ones(plain.shape[1], dtype=torch.float64)
        weights[1 : 1 + len(chunk.weights)] = torch.tensor(chunk.weights, dtype=torch.float64)
        weighted = plain * weights.to(plain)[None, :, None]
        if not self._has_norm:
            return weighted
        ratio = (plain.mean(dtype=torch.float64) / weighted.mean(dtype=torch.float64)).item()
        return weighted * ratio if _SMALL_RATIO <= ratio <= _LARGE_RATIO else weighted

    def _encoded(self, numbers: tuple[Hashable, ...], loras: LoraKey) -> Features:
        """Features of one chunk without weights; it is encoded alone, so that they depend on nothing else."""
        known = self._known.pop((numbers, loras), None)
        if known is None:
            known = self._computed(numbers, has_loras=bool(loras))
        self._known[numbers, loras] = known
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return known

    @torch.inference_mode()
    def _computed(self, numbers: tuple[Hashable, ...], *, has_loras: bool) -> Features:
        tokenizer, device = self._tokenizer, self._placement.device
        fill = self._capacity - len(numbers)
        ids = [_PLACEHOLDER if isinstance(number, Vector) else number for number in numbers]
        row = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id, *[tokenizer.pad_token_id] * fill]
        inputs = {"ids": torch.tensor([row], device=device)}
        if self._has_mask:
            inputs["mask"] = torch.tensor([[1] * (len(numbers) + 2) + [0] * fill], device=device)
        self._vectors = {place: number for place, number in enumerate(numbers, 1) if isinstance(number, Vector)}
        # LoRAs and embeddings are added by hooks, which a compiled encoder has not.
        forward = self._plain if has_loras or self._vectors else self._unchanged
        try:
            packed = forward(inputs).to(self._placement.dtype)
        finally:
            self._vectors = {}
        tokens, pooled = packed.tensor_split([len(row) * self._features_width], dim=1)
        return Features(tokens=tokens.view(1, len(row), -1), pooled=pooled if pooled.numel() else None)

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Features of all tokens, one after the other, and behind them the pooled vector if there is one, [1, n]."""
        answer = self._text_encoder(
            inputs["ids"], attention_mask=inputs.get("mask"), output_hidden_states=not self._is_whole
        )
        tokens = self._features(answer).flatten(1)
        pooled: torch.Tensor | None = getattr(answer, "pooler_output" if self._pools_last else "text_embeds", None)
        return tokens if pooled is None else torch.cat([tokens, pooled], dim=1)

    @property
    def _is_whole(self) -> bool:
        """True when the last layer with the final norm is used."""
        return self._has_norm and self._layer == 1

    def _features(self, answer: Any) -> torch.Tensor:
        """Features [1, capacity + 2, features] of the chosen layer."""
        if self._is_whole:
            return answer.last_hidden_state
        tokens: torch.Tensor = answer.hidden_states[-self._layer]
        if not self._has_norm:
            return tokens
        # Since transformers 5.6, an encoder without a projection has no inner `text_model`.
        inner: Any = getattr(self._text_encoder, "text_model", self._text_encoder)
        return inner.final_layer_norm(tokens)
