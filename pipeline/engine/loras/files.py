"""Reads a LoRA's file into pairs of small matrices, by the names of the model's modules.

diffusers' converters handle the formats of the various trainers.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import torch
from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin
from diffusers.utils.state_dict_utils import (
    StateDictType,
    convert_state_dict_to_peft,
    convert_unet_state_dict_to_peft,
)

from pipeline.engine.loras.contents import Contents
from pipeline.engine.loras.embeddings import without_bundled

StateDict = dict[str, torch.Tensor]
Converter = Callable[..., Any]
"""`lora_state_dict` of a diffusers loader; Stable Diffusion's also reads LoRAs for SDXL."""

MAX_RANK: Final = 1_024
"""Greatest rank of a module's pair; matrices of a higher rank are not small, and each row needs memory for them."""
_COMPONENTS: Final = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")


class LoraUnfit(Exception):
    """The LoRA cannot be used with this model; the message is a short phrase with the reason."""


class Pair(msgspec.Struct, frozen=True):
    """Addition to one module's weight, `up @ down`; `up` already includes the factor alpha / r.

    Attributes:
        down: [r, in], or [r, in, kh, kw] for a convolution.
        up: [out, r].
    """

    down: torch.Tensor
    up: torch.Tensor


Pairs = Mapping[str, Pair]
"""Pairs by the module's name within its component."""


def pairs_in(
    contents: Contents,
    model_config: Any,
    convert: Converter = StableDiffusionLoraLoaderMixin.lora_state_dict,
    denoiser: str = "unet",
) -> dict[str, Pairs]:
    """Pairs of a LoRA's file, on the CPU; `down` keeps the file's precision, and `up` is float32.

    Args:
        contents: contents of a file that passed `kinds.check_is_lora`.
        model_config: configuration of the U-Net or transformer; the converter numbers SDXL's blocks by it.
        convert: diffusers' converter for the model's family.
        denoiser: component that names without a component belong to.

    Returns:
        Pairs by component (`unet`, `transformer`, `text_encoder`, …).

    Raises:
        LoraUnfit: diffusers does not know the tensor names, or the matrices are unusable.
    """
    metadata: Any = contents.header.get("__metadata__") or {}
    try:
        converted: Any = convert(_with_alphas(without_bundled(contents.tensors)), unet_config=model_config)
        named = _by_component(converted[0] if isinstance(converted, tuple) else converted, denoiser)
        return {component: _pairs(found, component, metadata) for component, found in named.items()}
    # Unknown names make the converters raise various exceptions. All of them mean the same.
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, AssertionError, NotImplementedError) as error:
        raise LoraUnfit("its layers have names that no known model has") from error


def _with_alphas(state: StateDict) -> StateDict:
    """Multiply each `alpha / r` into its matrix, because each converter renames alphas differently."""
    empty = next((name for name, tensor in state.items() if tensor.numel() == 0), None)
    if empty is not None:
        raise LoraUnfit(f"{empty} holds no numbers")
    told = {name.removesuffix(".alpha"): tensor for name, tensor in state.items() if name.endswith(".alpha")}
    if any(tensor.numel() != 1 for tensor in told.values()):
        raise LoraUnfit("an alpha of it is no number")
    alphas = {module: tensor.item() for module, tensor in told.items()}
    found = {name: tensor for name, tensor in state.items() if not name.endswith(".alpha")}
    for module, alpha in alphas.items():
        for up, down in (("lora_up", "lora_down"), ("lora_B", "lora_A"), ("lora.up", "lora.down")):
            name = f"{module}.{up}.weight"
            if name in found:
                found[name] = found[name].float() * (alpha / len(found[f"{module}.{down}.weight"]))
    return found


def _by_component(state: StateDict, denoiser: str) -> dict[str, StateDict]:
    """Tensors by component, with PEFT's names (`module.lora_A.weight`); names without one are the denoiser's."""
    parts: dict[str, StateDict] = {}
    for name, tensor in state.items():
        bare = name.removeprefix("base_model.model.").replace(".default.weight", ".weight")
        component, _, rest = bare.partition(".")
        if component not in _COMPONENTS:
            component, rest = denoiser, bare
        parts.setdefault(component, {})[rest] = tensor
    return {
        component: _peft_names(part, is_text=component.startswith("text_encoder")) for component, part in parts.items()
    }


def _peft_names(state: StateDict, *, is_text: bool) -> StateDict:
    # The table of the old type has the newer names too. diffusers' own detection requires an output projection.
    if is_text:
        return convert_state_dict_to_peft(state, StateDictType.DIFFUSERS_OLD)
    return convert_unet_state_dict_to_peft(state)


def _pairs(state: StateDict, component: str, metadata: Mapping[str, Any]) -> Pairs:
    """Pair of matrices for each module.

    Raises:
        LoraUnfit: a matrix lacks its partner, is too large, or has an unusable type.
    """
    pairs: dict[str, Pair] = {}
    strange = next((name for name in state if not name.rpartition(".lora_")[0]), None)
    if strange is not None:
        raise LoraUnfit(f"it holds {strange}, which is no part of a LoRA")
    for name in sorted({name.rpartition(".lora_")[0] for name in state}):
        down, up = state.get(f"{name}.lora_A.weight"), state.get(f"{name}.lora_B.weight")
        if down is None or up is None or down.ndim not in (2, 4) or up.shape[1:2] != down.shape[:1]:
            raise LoraUnfit(f"{name} has no two matrices that go together")
        if up[0, 0].numel() != 1 or len(down) > MAX_RANK:
            raise LoraUnfit(f"{name} has a matrix of a size that no LoRA has")
        if not (down.is_floating_point() and up.is_floating_point()):
            raise LoraUnfit(f"{name} has matrices of whole numbers, which need a scale that Easel does not read")
        # Scaled in float32, because half precision would round the product, most of all near 0.
        pairs[name] = Pair(down, up.flatten(1).float() * _peft_scale(name, component, len(down), metadata))
    if 2 * len(pairs) != len(state):
        raise LoraUnfit("it holds more than pairs of matrices")
    return pairs


def _peft_scale(module: str, component: str, rank: int, metadata: Mapping[str, Any]) -> float:
    """Factor `alpha / r` from PEFT's configuration in the file's metadata; 1 without it, as in diffusers."""
    try:
        told: Any = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except (ValueError, TypeError, RecursionError):
        return 1.0
    prefix = f"{component}."
    items = told.items() if isinstance(told, dict) else ()
    config: dict[str, Any] = {key.removeprefix(prefix): value for key, value in items if key.startswith(prefix)}
    alpha = config.get("lora_alpha")
    for pattern, own in (config.get("alpha_pattern") or {}).items():
        if re.search(rf"(?:^|\.){re.escape(pattern)}$", module):
            alpha = own
    if not isinstance(alpha, (int, float)):
        return 1.0
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
