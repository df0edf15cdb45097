"""Layers that are computed a row at a time, since the device gives a row other last bits in another place.

Libraries choose a kernel for each layer and shape. Of some kernels (seen: cuDNN's convolutions in float16 on an H200)
the sums hang on where in the batch a row stands. It is one or two layers of a network, so these alone are taken out of
the batch, by name.
"""

from collections.abc import Callable, Collection
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import nn

_KINDS: Final = (nn.Conv2d, nn.Linear)
_INTEGERS: Final = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""By bytes of an element, to look at its bits."""
_ODD: Final = 0x9E3779B1
"""Spreads places over the numbers, so that two changes of an element each seldom cancel (Fibonacci hashing)."""

_used: WeakKeyDictionary[nn.Module, tuple[str, ...]] = WeakKeyDictionary()
_watched: WeakSet[nn.Module] = WeakSet()


def used(network: nn.Module) -> tuple[str, ...]:
    """Names of the layers that this network computes one by one now, in alphabetical order."""
    return _used.get(network, ())


def is_watched(network: nn.Module) -> bool:
    """Its layers must be called by themselves now, and not replayed from a recording."""
    return network in _watched


def use(network: nn.Module, names: Collection[str]) -> None:
    """Compute these layers one by one from now on, and all others in one go."""
    wanted, present = tuple(sorted(names)), used(network)
    if wanted == present:
        return
    layers = dict(network.named_modules())
    for name in present:
        del layers[name].forward
    for name in wanted:
        layers[name].forward = _per_row_layers(layers[name].forward)
    _used[network] = wanted


def guilty_layers(network: nn.Module, draw: Callable[[bool], object], rows: int) -> list[str]:
    """Names of layers that got the same rows in another order, and gave answers with other bits.

    Args:
        network: a forward of it is watched.
        draw: one forward with so many rows, in reverse order or not; it is called twice.
        rows: how many.

    Returns:
        None of them where the layers are compiled into one, so that they cannot be told apart.
    """
    if any(getattr(part, "_compiled_call_impl", None) is not None for part in network.modules()):
        return []
    straight = _marks(network, lambda: draw(False), rows)
    turned = _marks(network, lambda: draw(True), rows)
    return [
        name
        for name, (given, answer) in straight.items()
        if given.equal(turned[name][0].flip(0)) and not answer.equal(turned[name][1].flip(0))
    ]


def _per_row_layers(forward: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    def each(input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name that torch's layers have for it
        return torch.cat([forward(row) for row in input.split(1)])

    return each


def _marks(network: nn.Module, draw: Callable[[], object], rows: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Marks of what each layer got and gave in one forward, by its name."""
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def watch(name: str) -> Callable[..., None]:
        def take_down(_: nn.Module, given: tuple[Any, ...], answer: torch.Tensor) -> None:
            if given and len(given[0]) == rows:
                seen[name] = _mark(given[0]), _mark(answer)

        return take_down

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


def _mark(tensor: torch.Tensor) -> torch.Tensor:
    """A number for each row, [rows], that changes with any of its bits: small enough to be kept of every layer."""
    bits = tensor.contiguous().view(_INTEGERS[tensor.element_size()]).flatten(1).long()
    return (bits * (torch.arange(bits.shape[1], device=bits.device) * _ODD + 1)).sum(1)
