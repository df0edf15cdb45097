"""Per-row layers: layers that compute one row at a time, because their output depends on a row's place in the batch.

Libraries choose a kernel for each layer and shape. The sums of some kernels depend on the row's place in the batch;
seen with cuDNN's convolutions in float16 on an H200. Only one or two layers of a network are affected. So only these
are computed row by row, selected by name.
"""

from collections.abc import Callable, Collection
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import nn

_KINDS: Final = (nn.Conv2d, nn.Linear)
_INTEGERS: Final = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Integer type with the same size, by bytes of an element; it shows a number's bits."""
_ODD: Final = 0x9E3779B1
"""Odd multiplier of the position (Fibonacci hashing); with it, changes of two elements seldom cancel out."""

_used: WeakKeyDictionary[nn.Module, tuple[str, ...]] = WeakKeyDictionary()
_hidden: WeakKeyDictionary[nn.Module, Callable[..., torch.Tensor] | None] = WeakKeyDictionary()
"""The forward that a per-row layer had of its own, by the layer; None for its class's."""
_watched: WeakSet[nn.Module] = WeakSet()


def used(network: nn.Module) -> tuple[str, ...]:
    """Names of the network's present per-row layers, in alphabetical order."""
    return _used.get(network, ())


def is_watched(network: nn.Module) -> bool:
    """True while hooks watch the network's layers, so that no recording may be replayed."""
    return network in _watched


def use(network: nn.Module, names: Collection[str]) -> None:
    """Make these layers compute one row at a time from now on, and all others whole batches."""
    wanted, present = tuple(sorted(names)), used(network)
    if wanted == present:
        return
    layers = dict(network.named_modules())
    for name in present:
        forward = _hidden.pop(layers[name])
        del layers[name].forward
        if forward is not None:
            layers[name].forward = forward
    for name in wanted:
        # A layer whose weights are kept in fewer bits has a forward of its own already.
        _hidden[layers[name]] = vars(layers[name]).get("forward")
        layers[name].forward = _per_row_layers(layers[name].forward)
    _used[network] = wanted


def order_dependent_layers(network: nn.Module, draw: Callable[[bool], object], rows: int) -> list[str]:
    """Names of layers that get the same rows in another order, and give outputs with other bits.

    Args:
        network: the network whose layers are watched.
        draw: runs one forward pass, with the rows in reverse order if its argument is True; it is called twice.
        rows: row count of the forward pass.

    Returns:
        Layer names; empty when the layers are compiled into one and cannot be watched.
    """
    if any(getattr(part, "_compiled_call_impl", None) is not None for part in network.modules()):
        return []
    in_order = _layer_hashes(network, lambda: draw(False), rows)
    reversed_ = _layer_hashes(network, lambda: draw(True), rows)
    return [
        name
        for name, (inputs, outputs) in in_order.items()
        if inputs.equal(reversed_[name][0].flip(0)) and not outputs.equal(reversed_[name][1].flip(0))
    ]


def _per_row_layers(forward: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    def each(input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name that torch's layers have for it
        return torch.cat([forward(row) for row in input.split(1)])

    return each


def _layer_hashes(
    network: nn.Module, draw: Callable[[], object], rows: int
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Hashes of each layer's input and output rows in one forward pass, by the layer's name."""
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def watch(name: str) -> Callable[..., None]:
        def record(_: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
            if inputs and len(inputs[0]) == rows:
                seen[name] = _hashes(inputs[0]), _hashes(output)

        return record

    handles = [
        layer.register_forward_hook(watch(name)) for name, layer in network.named_modules() if isinstance(layer, _KINDS)
    ]
    _watched.add(network)
    try:
        draw()
    finally:
        _watched.discard(network)
        for handle in handles:
            handle.remove()
    return seen


def _hashes(tensor: torch.Tensor) -> torch.Tensor:
    """Hash of each row's bits, [rows]; unlike the tensor it is small enough to keep for every layer."""
    bits = tensor.contiguous().view(_INTEGERS[tensor.element_size()]).flatten(1).long()
    return (bits * (torch.arange(bits.shape[1], device=bits.device) * _ODD + 1)).sum(1)
