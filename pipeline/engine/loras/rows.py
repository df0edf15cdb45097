"""LoRAs in a forward pass: each row adds its own matrices to the layers' outputs; the weights stay unchanged.

A row's result must not depend on the other rows. So each rank has one `bmm` over all rows. Its shape depends only on
the rank and the row count: ranks are padded with zeros to a power of two, and a row without a LoRA of that rank adds
exact zeros.

The result must not depend on the row count either, because a job may share each step with a different number of other
rows. Libraries choose kernels by the total work, so small matrices are padded. Convolutions of few channels run row by
row. This was tested on an H200 in float16, bfloat16 and float32.

A network that OpenVINO compiled runs no hook. There the matrices are further inputs of the network, as in the dynamic
mode of OpenVINO GenAI's adapters. So other LoRAs of the same structure need no other network.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import torch
from torch import nn
from torch.nn.functional import conv2d, pad, unfold

from pipeline.engine.device.acceleration import Forward
from pipeline.engine.loras.files import LoraUnfit, Pair, Pairs
from pipeline.engine.loras.inputs import NO_STACKS, Stacks, stacks_in, without_stacks

_LEAST_RANK: Final = 8
_LEAST_LENGTH: Final = 32
"""Least tokens of a row in a linear module; for fewer, cuBLAS's float32 results depend on the row count."""
_FEW_CHANNELS: Final = 320
"""Channels below which a convolution runs row by row; for these, cuDNN chooses kernels by the number of groups."""
_KEPT_STACKS: Final = 4
"""Number of row sets whose stacks are cached, because several sets take turns; `release` empties the cache."""


class RowLora(msgspec.Struct, frozen=True, eq=False):
    """Sum of one job's LoRAs, on the model's device; several LoRAs become one whose rank is the sum of their ranks.

    Attributes:
        modules: pairs by module name. For a linear module, `down` is [in, r] and `up` is [r, out]. For a convolution,
            `down` is [r, in, kh, kw] and `up` is [out, r]. r is a power of two.
        structure: name of the matrices' shapes and modules; a compiled network serves every LoRA of one structure.
    """

    modules: Mapping[str, Pair]
    structure: str = ""

    def __post_init__(self) -> None:
        """Name the structure, once: each step asks for it."""
        shapes = sorted((name, *pair.down.shape, *pair.up.shape) for name, pair in self.modules.items())
        name = f"LoRA {hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]}"
        msgspec.structs.force_setattr(self, "structure", name)


def structure_of(lora: RowLora | None) -> set[str]:
    """The structure of a row's LoRAs; none for None."""
    return set() if lora is None else {lora.structure}


Rows = Sequence[RowLora | None]
"""LoRAs of each row of a forward pass."""


def combined(
    parts: Sequence[tuple[Pairs, float]], model: nn.Module, *, device: torch.device, dtype: torch.dtype
) -> RowLora | None:
    """Combine weighted LoRAs into one on the device; None when there is nothing to add.

    Args:
        parts: result of `fitted` and the weight, for each LoRA.
        model: the model whose modules the pairs name.
        device: device of the model.
        dtype: precision of the model's arithmetic.
    """
    exact = torch.float64 if dtype is torch.float64 else torch.float32
    found: dict[str, list[Pair]] = {}
    for pairs, scale in parts:
        if scale == 0:
            continue
        for name, pair in pairs.items():
            found.setdefault(name, []).append(Pair(pair.down.to(exact), pair.up.to(exact) * scale))
    targets = targets_of(model)
    modules: dict[str, Pair] = {}
    for name, pairs in found.items():
        down, up = torch.cat([pair.down for pair in pairs]), torch.cat([pair.up for pair in pairs], dim=1)
        down, up = _padded(down, up)
        if isinstance(targets[name], nn.Linear):
            down, up = down.t().contiguous(), up.t().contiguous()
        modules[name] = Pair(down.to(device, dtype), up.to(device, dtype))
    return RowLora(modules) if modules else None


def fitted(pairs: Pairs, model: nn.Module) -> Pairs:
    """Adapt pairs to the model's module names and shapes.

    Raises:
        LoraUnfit: the model lacks a module, or the module has another size.
    """
    targets = targets_of(model)
    checked: dict[str, Pair] = {}
    for name, pair in pairs.items():
        # Since transformers 5, CLIP text encoders have no inner `text_model`, but files still name it.
        known = name if name in targets else name.removeprefix("text_model.")
        module = targets.get(known)
        if module is None:
            raise LoraUnfit(f"this model has no {name}")
        # Weights that are kept in fewer bits have another shape than their layer.
        is_linear = isinstance(module, nn.Linear)
        wanted = (module.out_features, module.in_features) if is_linear else tuple(module.weight.shape)
        down = pair.down
        if isinstance(module, nn.Linear) and down.shape[2:] == (1, 1):
            down = down.flatten(1)
        elif isinstance(module, nn.Conv2d) and down.ndim == len(("r", "in")):
            down = down[:, :, None, None]
        has = (len(pair.up), *down.shape[1:])
        if has != wanted:
            raise LoraUnfit(f"{name} is {_size(wanted)} in this model and {_size(has)} in the LoRA")
        checked[known] = Pair(down, pair.up)
    return checked


def targets_of(model: nn.Module) -> dict[str, nn.Linear | nn.Conv2d]:
    """Modules that a LoRA can add to, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.groups == 1)
    }


class LoraRows:
    """Hooks that add LoRAs to a model's modules within `use`; outside of it, the model is unchanged.

    Args:
        model: a U-Net, a transformer or a text encoder. The first dimension of its modules' inputs must be the rows of
            the forward pass; with a single row, that dimension may have any size.
    """

    def __init__(self, model: nn.Module) -> None:
        self._targets = targets_of(model)
        self._hooked: set[str] = set()
        self._stacks: OrderedDict[Rows, Stacks] = OrderedDict()
        self._active = NO_STACKS

    @contextmanager
    def use(self, rows: Rows) -> Generator[None]:
        """Context in which forward passes add each row's LoRAs; other rows need other stacks, but no weight changes."""
        if all(row is None for row in rows):
            yield
            return
        with self._adding(self._stacked(tuple(rows))):
            yield

    def giving(self, forward: Forward) -> Forward:
        """`forward` of a compiled network, which gets the matrices of `use` as further inputs."""

        def with_matrices(inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
            return forward({**inputs, **self._active.inputs})

        return with_matrices

    def taking(self, forward: Forward) -> Forward:
        """`forward` of the network itself, for inputs that may hold such matrices; hooks add them."""

        def with_hooks(inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
            with self._adding(stacks_in(inputs)):
                return forward(without_stacks(inputs))

        return with_hooks

    @contextmanager
    def _adding(self, stacks: Stacks) -> Generator[None]:
        before, self._active = self._active, stacks
        try:
            yield
        finally:
            self._active = before

    def release(self) -> None:
        """Release the cached stacks."""
        self._stacks.clear()

    def _stacked(self, rows: tuple[RowLora | None, ...]) -> Stacks:
        # RowLora compares by identity. The key keeps the objects alive, so no other object gets the same identity.
        stacks = self._stacks.pop(rows, None)
        if stacks is None:
            names = dict.fromkeys(name for row in rows if row is not None for name in row.modules)
            stacks = Stacks({name: self._stacks_of(name, rows) for name in names})
            for name in stacks.pairs.keys() - self._hooked:
                self._hook(name)
        self._stacks[rows] = stacks
        if len(self._stacks) > _KEPT_STACKS:
            self._stacks.popitem(last=False)
        return stacks

    def _stacks_of(self, name: str, rows: Rows) -> list[Pair]:
        """One pair of stacked matrices for each rank, in the order of ranks; the first dimension is the rows."""
        pairs = [None if row is None else row.modules.get(name) for row in rows]
        by_rank: dict[int, list[Pair | None]] = {}
        for index, pair in enumerate(pairs):
            if pair is not None:
                by_rank.setdefault(_rank(self._targets[name], pair), [None] * len(rows))[index] = pair
        return [_stack(by_rank[rank]) for rank in sorted(by_rank)]

    def _hook(self, name: str) -> None:
        module = self._targets[name]
        add = _add_linear if isinstance(module, nn.Linear) else _add_conv

        def hook(module: nn.Module, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor | None:
            stacks = self._active.pairs.get(name)
            if stacks is None:
                return None
            for stack in stacks:
                output = add(module, args[0], output, stack)
            return output

        module.register_forward_hook(hook)
        self._hooked.add(name)


def _add_linear(_: nn.Module, inputs: torch.Tensor, output: torch.Tensor, stack: Pair) -> torch.Tensor:
    # `len` would be a constant of the trace, which serves other row counts too.
    count = stack.down.shape[0]
    rows = inputs.reshape(count, -1, inputs.shape[-1])
    length = rows.shape[1]
    if length < _LEAST_LENGTH:
        filled = pad(rows, (0, 0, 0, _LEAST_LENGTH - length))
        added = torch.bmm(torch.bmm(filled, stack.down), stack.up)[:, :length]
        return output + added.reshape(output.shape)
    small = torch.bmm(rows, stack.down)
    return torch.baddbmm(output.reshape(count, -1, output.shape[-1]), small, stack.up).view(output.shape)


def _add_conv(module: Any, inputs: torch.Tensor, output: torch.Tensor, stack: Pair) -> torch.Tensor:
    """Add to a convolution's output: one grouped convolution with a group for each row, or one convolution each."""
    count, _, rank = stack.up.shape
    how = (None, module.stride, module.padding, module.dilation)
    if torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage] - it is documented, but not exported
        # OpenVINO has no convolution whose weights are inputs, and a loop over the rows would fix their count.
        columns = unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride)
        small = torch.bmm(stack.down.flatten(2), columns)
    elif module.in_channels < _FEW_CHANNELS:
        rows = zip(inputs.reshape(count, 1, *inputs.shape[1:]), stack.down, strict=True)
        small = torch.cat([conv2d(row, down, *how) for row, down in rows])
    else:
        down = stack.down.reshape(count * rank, *stack.down.shape[2:])
        small = conv2d(inputs.reshape(1, -1, *inputs.shape[2:]), down, *how, count)
    added = torch.bmm(stack.up, small.reshape(count, rank, -1))
    return output + added.view(output.shape)


def _stack(pairs: Sequence[Pair | None]) -> Pair:
    """Stack pairs; rows without a pair get zeros, and a pair that all rows share is not copied."""
    first = next(pair for pair in pairs if pair is not None)
    if all(pair is first for pair in pairs):
        count = len(pairs)
        return Pair(first.down.expand(count, *first.down.shape), first.up.expand(count, *first.up.shape))
    nothing = Pair(torch.zeros_like(first.down), torch.zeros_like(first.up))
    filled = [pair or nothing for pair in pairs]
    return Pair(torch.stack([pair.down for pair in filled]), torch.stack([pair.up for pair in filled]))


def _rank(module: nn.Module, pair: Pair) -> int:
    return pair.up.shape[0 if isinstance(module, nn.Linear) else 1]


def _padded(down: torch.Tensor, up: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad the rank with zeros to the next power of two, so that few different shapes occur."""
    rank = max(_LEAST_RANK, 1 << (len(down) - 1).bit_length())
    more = rank - len(down)
    return (
        torch.cat([down, down.new_zeros(more, *down.shape[1:])]),
        torch.cat([up, up.new_zeros(len(up), more)], dim=1),
    )


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
