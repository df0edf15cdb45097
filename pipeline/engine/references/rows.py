"""References in a forward pass: each row adds its own attention to the image tokens; the network stays unchanged.

IP-Adapter adds `scale * attention(query, image tokens)` to the text's attention before the layer's last projection
(Ye et al., 2023; `IPAdapterAttnProcessor2_0` of diffusers). Each row computes its addition alone. So a row's bits do
not depend on the other rows, and rows without references keep theirs.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.hooks import RemovableHandle

from pipeline.engine.references.layers import cross_attention


class Attended(msgspec.Struct, frozen=True, eq=False):
    """What one layer of the U-Net sees of references, computed once for each job.

    Attributes:
        key: [1, tokens, features].
        value: [1, tokens, features].
        scale: factor of the attention to it.
    """

    key: torch.Tensor
    value: torch.Tensor
    scale: float


class RowReference(msgspec.Struct, frozen=True, eq=False):
    """References of one row; the additions of its parts are summed in their order.

    Attributes:
        parts: for each adapter, what its layers see, by the layer's name.
    """

    parts: tuple[Mapping[str, Attended], ...]


class JobReference(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """References of a job through one adapter.

    Attributes:
        positive: what the layers see in the rows of the prompt.
        negative: what they see in unconditional rows.
        start: fraction of a pass's evaluations before which it is off.
        end: fraction of a pass's evaluations after which it is off.
    """

    positive: Mapping[str, Attended]
    negative: Mapping[str, Attended]
    start: float
    end: float


ReferencesOfRows = Sequence[RowReference | None]
"""References of each row of a forward pass."""


class ReferenceRows:
    """Hooks that add references to a U-Net's cross-attention within `use`; outside of it, the U-Net is unchanged.

    Args:
        unet: a U-Net of diffusers.
    """

    def __init__(self, unet: nn.Module) -> None:
        self._layers = cross_attention(unet)

    @property
    def names(self) -> list[str]:
        """Names of the cross-attention layers, in the order of IP-Adapter's files."""
        return [*self._layers]

    @contextmanager
    def use(self, rows: ReferencesOfRows) -> Generator[None]:
        """Context in which forward passes add each row's references.

        The hooks come after those of LoRAs, which stay from their first use on. So a query holds its LoRA already.
        """
        handles: list[RemovableHandle] = []
        try:
            for name, found in _by_layer(rows).items():
                handles += _hooked(self._layers[name], found)
            yield
        finally:
            for handle in handles:
                handle.remove()


def _by_layer(rows: ReferencesOfRows) -> dict[str, list[tuple[int, Attended]]]:
    """Row number and its addition, for each layer that any row needs."""
    found: dict[str, list[tuple[int, Attended]]] = {}
    for number, row in enumerate(rows):
        for part in () if row is None else row.parts:
            for name, attended in part.items():
                found.setdefault(name, []).append((number, attended))
    return found


def _hooked(attention: Any, found: Sequence[tuple[int, Attended]]) -> tuple[RemovableHandle, RemovableHandle]:
    """Hook one layer: remember its query, and add to the input of its last projection."""
    queries: list[torch.Tensor] = []

    def remember(_: nn.Module, __: Any, query: torch.Tensor) -> None:
        queries.append(query)

    def add(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        query, hidden = queries.pop(), inputs[0].clone()
        for row, attended in found:
            hidden[row] += attended.scale * _attention(query[row], attended, attention.heads)
        return hidden, *inputs[1:]

    return attention.to_q.register_forward_hook(remember), attention.to_out[0].register_forward_pre_hook(add)


def _attention(query: torch.Tensor, attended: Attended, heads: int) -> torch.Tensor:
    """Attention [pixels, features] of one row's query, of the same shape, to image tokens."""
    # A copy begins at an aligned address. A view's address depends on the row's number, and libraries may add in
    # another order for another alignment.
    asked, key, value = (
        tensor.view(1, len(tensor), heads, -1).transpose(1, 2)
        for tensor in (query.clone(), attended.key[0], attended.value[0])
    )
    return scaled_dot_product_attention(asked, key, value).transpose(1, 2).reshape(query.shape)
