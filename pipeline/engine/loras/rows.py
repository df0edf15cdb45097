"""LoRAs on the rows of a forward: each row its own, added beside the weights, which are never touched.

A row's numbers must not hang on its mates. So every product runs over all rows in one `bmm` of a shape that only the
row itself and the number of rows decide: rows are taken together by their rank, padded with zeros to a power of two,
and a row that has no LoRA of that rank adds exact zeros. Nor may they hang on the number of rows, since a job has more
mates in one step than in another: small matrices are filled up, and convolutions of few channels go row by row, for
which libraries choose kernels by the whole of the work. Tried out on an H200 in float16, bfloat16 and float32.
"""

from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import torch
from torch import nn
from torch.nn.functional import conv2d, pad

from pipeline.engine.loras.files import LoraUnfit, Pair, Pairs

_LEAST_RANK: Final = 8
_LEAST_LENGTH: Final = 32
"""Of a row in a linear module; cuBLAS computes shorter ones of float32 differently among fewer rows."""
_FEW_CHANNELS: Final = 320
"""Of a convolution; cuDNN has other kernels for groups of so few, chosen by the number of groups."""
_KEPT_STACKS: Final = 4
"""Several sets of rows take turns at the device; each keeps its stacks until others push it out, or it is full."""


class RowLora(msgspec.Struct, frozen=True, eq=False):
    """All that one job's LoRAs add to a model, on its device: several are one of a rank that is the sum of theirs.

    Attributes:
        modules: by the module's name; of a linear one `down` is [in, r] and `up` [r, out], of a convolution `down` is
            [r, in, kh, kw] and `up` [out, r]; r is a power of two.
    """

    modules: Mapping[str, Pair]


Rows = Sequence[RowLora | None]
"""One entry for each row of a forward."""


def combined(
    parts: Sequence[tuple[Pairs, float]], model: nn.Module, *, device: torch.device, dtype: torch.dtype
) -> RowLora | None:
    """Several LoRAs with their weights as one, on the device; None where nothing is left to add.

    Args:
        parts: what `fitted` gave, and the weight of each LoRA.
        model: whose modules are meant.
        device: where the model lives.
        dtype: of the model's arithmetic.
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
    """The same pairs by the names and in the shapes that the model has.

    Raises:
        LoraUnfit: a module is not there or has another size.
    """
    targets = targets_of(model)
    checked: dict[str, Pair] = {}
    for name, pair in pairs.items():
        # transformers 5 has no `text_model` around a CLIP text encoder any more; files still name it.
        known = name if name in targets else name.removeprefix("text_model.")
        module = targets.get(known)
        if module is None:
            raise LoraUnfit(f"this model has no {name}")
        wanted = tuple(module.weight.shape)
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
    """The modules that a LoRA can add to, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.groups == 1)
    }


class LoraRows:
    """Lets a model's modules add what `use` says; without it they do as before.

    Args:
        model: a U-Net, a transformer or a text encoder. Its modules must see a forward's rows in their first
            dimension; a single row may also be seen as a batch of any size.
    """

    def __init__(self, model: nn.Module) -> None:
        self._targets = targets_of(model)
        self._hooked: set[str] = set()
        self._stacks: OrderedDict[Rows, dict[str, list[Pair]]] = OrderedDict()
        self._active: dict[str, list[Pair]] = {}
        self._count = 0

    @contextmanager
    def use(self, rows: Rows) -> Generator[None]:
        """Add to each row of the forwards within. Other rows than before take new stacks and no touch of a weight."""
        if all(row is None for row in rows):
            yield
            return
        self._active, self._count = self._stacked(tuple(rows)), len(rows)
        try:
            yield
        finally:
            self._active = {}

    def release(self) -> None:
        """Let go of the stacks of rows that are not drawn now."""
        self._stacks.clear()

    def _stacked(self, rows: tuple[RowLora | None, ...]) -> dict[str, list[Pair]]:
        # RowLora compares by identity, so the key keeps what it names alive.
        stacks = self._stacks.pop(rows, None)
        if stacks is None:
            names = dict.fromkeys(name for row in rows if row is not None for name in row.modules)
            stacks = {name: self._stacks_of(name, rows) for name in names}
            for name in stacks.keys() - self._hooked:
                self._hook(name)
        self._stacks[rows] = stacks
        if len(self._stacks) > _KEPT_STACKS:
            self._stacks.popitem(last=False)
        return stacks

    def _stacks_of(self, name: str, rows: Rows) -> list[Pair]:
        """One pair of stacks a rank, the rows in their first dimension; in the order of ranks."""
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
            stacks = self._active.get(name)
            if stacks is None:
                return None
            for stack in stacks:
                output = add(module, args[0], output, stack, self._count)
            return output

        module.register_forward_hook(hook)
        self._hooked.add(name)


def _add_linear(_: nn.Module, inputs: torch.Tensor, output: torch.Tensor, stack: Pair, count: int) -> torch.Tensor:
    rows = inputs.reshape(count, -1, inputs.shape[-1])
    length = rows.shape[1]
    if length < _LEAST_LENGTH:
        filled = pad(rows, (0, 0, 0, _LEAST_LENGTH - length))
        added = torch.bmm(torch.bmm(filled, stack.down), stack.up)[:, :length]
        return output + added.reshape(output.shape)
    small = torch.bmm(rows, stack.down)
    return torch.baddbmm(output.reshape(count, -1, output.shape[-1]), small, stack.up).view(output.shape)


def _add_conv(module: Any, inputs: torch.Tensor, output: torch.Tensor, stack: Pair, count: int) -> torch.Tensor:
    """Each row is a group of one convolution, which keeps it to itself, or has one of its own."""
    rank = stack.up.shape[-1]
    how = (None, module.stride, module.padding, module.dilation)
    if module.in_channels < _FEW_CHANNELS:
        rows = zip(inputs.reshape(count, 1, *inputs.shape[1:]), stack.down, strict=True)
        small = torch.cat([conv2d(row, down, *how) for row, down in rows])
    else:
        down = stack.down.reshape(count * rank, *stack.down.shape[2:])
        small = conv2d(inputs.reshape(1, -1, *inputs.shape[2:]), down, *how, count)
    added = torch.bmm(stack.up, small.reshape(count, rank, -1))
    return output + added.view(output.shape)


def _stack(pairs: Sequence[Pair | None]) -> Pair:
    """Rows without a pair get zeros; where all have the same, it is not copied."""
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
    """Zeros up to the next power of two, so that few shapes are met."""
    rank = max(_LEAST_RANK, 1 << (len(down) - 1).bit_length())
    more = rank - len(down)
    return (
        torch.cat([down, down.new_zeros(more, *down.shape[1:])]),
        torch.cat([up, up.new_zeros(len(up), more)], dim=1),
    )


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
