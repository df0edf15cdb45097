"""A LoRA's file into pairs of small matrices, by the names of the model's own modules.

Which trainer wrote the file, and in which of its several ways, is left to diffusers' converters.
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
"""`lora_state_dict` of a diffusers loader; the one of Stable Diffusion also reads SDXL's."""

MAX_RANK: Final = 1_024
"""Of one module's pair; a matrix with more is no small addition, and memory is taken for each row of a forward."""
_COMPONENTS: Final = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")


class LoraUnfit(Exception):
    """A LoRA cannot be used with this model; the message is a short phrase that names what does not fit."""


class Pair(msgspec.Struct, frozen=True):
    """What is added to one module's weight: `up @ down`, its alpha already in `up`.

    Attributes:
        down: [r, in], or [r, in, kh, kw] of a convolution.
        up: [out, r].
    """

    down: torch.Tensor
    up: torch.Tensor


Pairs = Mapping[str, Pair]
"""By the module's name within its component."""


def pairs_in(
    contents: Contents, model_config: Any, convert: Converter = StableDiffusionLoraLoaderMixin.lora_state_dict
) -> dict[str, Pairs]:
    """A LoRA's pairs, on the CPU, in the precision that its file has.

    Args:
        contents: of the file; `kinds.check_is_lora` found nothing against it.
        model_config: of the U-Net or transformer; SDXL's blocks are counted by it.
        convert: diffusers' converter for the model's family.

    Returns:
        Pairs by component (`unet`, `transformer`, `text_encoder`, …).

    Raises:
        LoraUnfit: its names mean nothing to diffusers, or its matrices are none.
    """
    metadata: Any = contents.header.get("__metadata__") or {}
    try:
        converted: Any = convert(_with_alphas(without_bundled(contents.tensors)), unet_config=model_config)
        named = _by_component(converted[0] if isinstance(converted, tuple) else converted)
        return {component: _pairs(found, component, metadata) for component, found in named.items()}
    # Names that no trainer writes make the converters fail in their own ways; all of them mean the same.
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise LoraUnfit("its layers have names that no known model has") from error


def _with_alphas(state: StateDict) -> StateDict:
    """Each `alpha / r` multiplied into its matrix, since converters rename alphas in ways of their own."""
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


def _by_component(state: StateDict) -> dict[str, StateDict]:
    """PEFT's names (`module.lora_A.weight`) for each component; those without one are the U-Net's."""
    parts: dict[str, StateDict] = {}
    for name, tensor in state.items():
        bare = name.removeprefix("base_model.model.").replace(".default.weight", ".weight")
        component, _, rest = bare.partition(".")
        if component not in _COMPONENTS:
            component, rest = "unet", bare
        parts.setdefault(component, {})[rest] = tensor
    return {
        component: _peft_names(part, is_text=component.startswith("text_encoder")) for component, part in parts.items()
    }


def _peft_names(state: StateDict, *, is_text: bool) -> StateDict:
    # The old type's table holds the newer one's names too; diffusers' own guess wants an output projection.
    if is_text:
        return convert_state_dict_to_peft(state, StateDictType.DIFFUSERS_OLD)
    return convert_unet_state_dict_to_peft(state)


def _pairs(state: StateDict, component: str, metadata: Mapping[str, Any]) -> Pairs:
    """Both matrices of each module.

    Raises:
        LoraUnfit: a matrix is alone, or too large.
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
        # Half precision would round what is scaled, and more so where it is near 0.
        pairs[name] = Pair(down, up.flatten(1).float() * _peft_scale(name, component, len(down), metadata))
    if 2 * len(pairs) != len(state):
        raise LoraUnfit("it holds more than pairs of matrices")
    return pairs


def _peft_scale(module: str, component: str, rank: int, metadata: Mapping[str, Any]) -> float:
    """`alpha / r` as PEFT's configuration in the file's metadata has it; without one it is 1, as diffusers has it."""
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
