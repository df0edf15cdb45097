"""Conversion of the names in LoRAs' files by diffusers' functions, which silently leave out what they do not know."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch

from pipeline.engine.weights.checkpoints import Traced

_MATRICES: Final = ((".lora_A.", ".lora_down."), (".lora_B.", ".lora_up."))
"""PEFT's and kohya's names of a pair's matrices."""
_PREFIXES: Final = ("diffusion_model.", "base_model.model.")
_ORIGINAL: Final = ("double_blocks.", "single_blocks.")
"""Beginnings of names in files that were trained on the original FLUX."""


def of_original(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors with names as diffusers expects them of a file that was trained on the original FLUX.

    diffusers knows such a file by a prefix. Of kohya's names of matrices, it reads only those below `lora_unet_`.
    """
    named: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        known = name
        if not name.startswith("lora_"):
            known = name.replace(".lora_down.", ".lora_A.").replace(".lora_up.", ".lora_B.")
        named[f"diffusion_model.{known}" if name.startswith(_ORIGINAL) else known] = tensor
    return named


def below_lora_unet(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors whose names are the original FLUX.1's with kohya's names, which are the ones that diffusers converts."""
    named: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        bare = next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)
        if not bare.startswith(_ORIGINAL):
            named[name] = tensor
            continue
        for theirs, kohyas in _MATRICES:
            bare = bare.replace(theirs, kohyas)
        module, end, matrix = bare.partition(".lora_")
        named[f"lora_unet_{module.replace('.', '_')}{end}{matrix}"] = tensor
    return named


def converted_whole(convert: Callable[..., Any], state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors with diffusers' names.

    Args:
        convert: diffusers' `lora_state_dict` of a family.
        state: tensors by name.

    Raises:
        KeyError: the function leaves out a tensor.
    """
    found: dict[str, Any] = convert({name: Traced.of(name, tensor) for name, tensor in state.items()})
    used = frozenset[str]().union(*(tensor.keys for tensor in found.values()))
    lost = next((name for name in state if name not in used), None)
    if lost is not None:
        raise KeyError(lost)
    return {name: tensor.as_subclass(torch.Tensor) for name, tensor in found.items()}
