"""What control nets add to the rows of a forward pass of the U-Net.

Rows without control stand beside rows with it: they add exact zeros, which change no bit. A row's sum follows the order
of its own controls, so that it does not depend on the other rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import torch

from pipeline.engine.control.nets import ControlNet

_DOWN: Final = "down_residual_"
_MIDDLE: Final = "middle_residual"
_FEATURE: Final = "feature_"

Residuals = Mapping[str, torch.Tensor]
"""Inputs of the U-Net that control nets give, by name; each is [rows, c, h, w]. Empty when no row is controlled."""


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class NetControl:
    """A ControlNet that runs for this row in every step.

    Attributes:
        net: the ControlNet.
        hint: features of the control picture, [1, c, h, w]; see `ControlNet.hint`.
        scales: factor of each of the net's residuals; the last one is for the middle block.
    """

    net: ControlNet
    hint: torch.Tensor
    scales: tuple[float, ...]


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class FeatureControl:
    """A T2I-Adapter's features, which are the same in every step.

    Attributes:
        features: features for the U-Net's blocks in order, [1, c, h, w] each, times the scale.
    """

    features: tuple[torch.Tensor, ...]


RowControl: TypeAlias = NetControl | FeatureControl
"""One picture that steers a row."""


def net_controls(controls: Sequence[RowControl]) -> list[NetControl]:
    """The controls of a row whose nets run in every step, in order."""
    return [each for each in controls if isinstance(each, NetControl)]


def summed(
    controls: Sequence[Sequence[RowControl]], answers: Sequence[Sequence[Sequence[torch.Tensor]]], count: int
) -> Residuals:
    """Add up what the controls of each row give.

    Args:
        controls: controls of each row.
        answers: for each row, the residuals of its `NetControl`s in order, [1, c, h, w] each.
        count: row count of the U-Net's forward pass; rows that fill it up get zeros.
    """
    residuals = [
        _sum([_scaled(parts, each.scales) for parts, each in zip(found, net_controls(row), strict=True)])
        for row, found in zip(controls, answers, strict=True)
    ]
    features = [_sum([each.features for each in row if isinstance(each, FeatureControl)]) for row in controls]
    downs = _stacked([each[:-1] for each in residuals], _DOWN, count)
    middles = _stacked([each[-1:] for each in residuals], _MIDDLE, count)
    return {**downs, **middles, **_stacked(features, _FEATURE, count)}


def unet_arguments(inputs: Mapping[str, torch.Tensor]) -> dict[str, object]:
    """Arguments of diffusers' U-Net for the residuals among a forward pass's inputs.

    The U-Net takes features out of its list, so each call makes a new one.
    """
    given: dict[str, object] = {}
    if downs := _series(inputs, _DOWN):
        given["down_block_additional_residuals"] = tuple(downs)
        given["mid_block_additional_residual"] = _series(inputs, _MIDDLE)[0]
    if features := _series(inputs, _FEATURE):
        given["down_intrablock_additional_residuals"] = features
    return given


def _scaled(parts: Sequence[torch.Tensor], scales: Sequence[float]) -> tuple[torch.Tensor, ...]:
    # A Python number keeps its precision beside half precision numbers; a tensor would be rounded to theirs first.
    return tuple(part * scale for part, scale in zip(parts, scales, strict=True))


def _sum(series: Sequence[Sequence[torch.Tensor]]) -> tuple[torch.Tensor, ...]:
    """Sum of several series of equal lengths, in order; empty for none."""
    total: tuple[torch.Tensor, ...] = ()
    for each in series:
        total = tuple(one + other for one, other in zip(total, each, strict=True)) if total else tuple(each)
    return total


def _stacked(rows: Sequence[Sequence[torch.Tensor]], name: str, count: int) -> dict[str, torch.Tensor]:
    """Inputs [count, c, h, w] by name; rows without a series get zeros. Empty when no row has one."""
    example = next((row for row in rows if row), ())
    nothing = [torch.zeros_like(part) for part in example]
    filled = [row or nothing for row in rows] + [nothing] * (count - len(rows))
    return {
        f"{name}{place:02}": torch.cat([row[place] for row in filled]).contiguous() for place in range(len(example))
    }


def _series(inputs: Mapping[str, torch.Tensor], name: str) -> list[torch.Tensor]:
    return [inputs[key] for key in sorted(inputs) if key.startswith(name)]
