"""Checks weights for NaN and infinity, which would break every picture with every seed."""

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import nn

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.components import title_of

_NARROW: Final = (torch.float16,)


def check_numbers(components: Mapping[str, Any], where: str) -> None:
    """Check that no weight is NaN or infinite. One sum over each tensor is enough, because both persist in a sum.

    Args:
        components: components of a pipeline by name; those without weights are skipped.
        where: end of the message's subject, such as "of Tiny".

    Raises:
        ModelUnavailable: a weight is NaN or infinite; the message names component and weight.
    """
    for component, module in components.items():
        if isinstance(module, nn.Module):
            _check_module(module, f"The {title_of(component)} {where}")


@torch.inference_mode()
def _check_module(module: nn.Module, subject: str) -> None:
    tensors = {name: tensor for name, tensor in module.state_dict().items() if tensor.is_floating_point()}
    if not tensors or bool(torch.stack([_sum(tensor) for tensor in tensors.values()]).isfinite().all()):
        return
    name, tensor = next((name, tensor) for name, tensor in tensors.items() if not bool(_sum(tensor).isfinite()))
    is_narrow = tensor.dtype in _NARROW and not bool(tensor.isnan().any())
    remedy = (
        "set pipeline.dtype to bfloat16 or float32, or take another file."
        if is_narrow
        else "the file is broken: download it again, or take another."
    )
    raise ModelUnavailable(f"{subject} holds NaN or infinity among its weights ({name}); {remedy}")


def _sum(tensor: torch.Tensor) -> torch.Tensor:
    """Sum of a tensor in float32 or better, because the sum of half precision numbers can overflow it."""
    return tensor.sum(dtype=torch.promote_types(tensor.dtype, torch.float32)).double()
