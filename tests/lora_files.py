"""Small random LoRAs in the ways in which trainers write them, and what each must add to a model's weights."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.engine.loras.contents import read_contents
from pipeline.engine.loras.files import Pairs, pairs_in
from pipeline.engine.loras.kinds import check_is_lora

Deltas = dict[str, torch.Tensor]
"""What is added to each module's weight, in float64, by the module's name."""

_KOHYA = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_", "text_encoder_2": "lora_te2_text_model_"}


def write_lora(
    path: Path,
    modules: Mapping[str, nn.Module],
    names: Mapping[str, Iterable[str]],
    *,
    way: str = "kohya",
    rank: int = 4,
    alpha: float = 2.0,
    seed: int = 0,
    metadata: dict[str, str] | None = None,
) -> dict[str, Deltas]:
    """Write a LoRA onto the named modules.

    Args:
        path: of the file.
        modules: models by component (`unet`, `text_encoder`).
        names: of modules by component.
        way: `kohya` (A1111's), `peft` (with PEFT's configuration in the metadata), or `diffusers` (alpha is the rank).
        rank: of every pair.
        alpha: over the rank, it is what the pair is multiplied with; float16 holds it exactly.
        seed: of the numbers.
        metadata: of the header.

    Returns:
        By component, what each module's weight must grow by at weight 1.
    """
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    deltas: dict[str, Deltas] = {}
    for component, wanted in names.items():
        deltas[component] = {}
        for name in wanted:
            shape: Any = modules[component].get_submodule(name).weight.shape
            down = (torch.randn(rank, *shape[1:], generator=generator) / 8).half()
            up = (torch.randn(shape[0], rank, *[1] * (len(shape) - 2), generator=generator) / 8).half()
            state |= _named(component, name, down, up, way, alpha)
            product = up.flatten(1).double() @ down.flatten(1).double()
            deltas[component][name] = product.view(shape) * (1 if way == "diffusers" else alpha / rank)
    config = {f"{component}.{key}": value for component in names for key, value in (("lora_alpha", alpha), ("r", rank))}
    told = {"lora_adapter_metadata": json.dumps(config)} if way == "peft" else {}
    save_file(state, path, {**told, **(metadata or {})})
    return deltas


def read_lora(path: Path, model_config: Any) -> dict[str, Pairs]:
    """A file's pairs by component, as the engine reads them."""
    return pairs_in(read_contents(path, check_is_lora), model_config)


def _named(
    component: str, name: str, down: torch.Tensor, up: torch.Tensor, way: str, alpha: float
) -> dict[str, torch.Tensor]:
    if way == "kohya":
        base = _KOHYA[component] + name.replace(".", "_")
        return {
            f"{base}.lora_down.weight": down,
            f"{base}.lora_up.weight": up,
            f"{base}.alpha": torch.tensor(alpha),
        }
    if way == "peft":
        return {f"{component}.{name}.lora_A.weight": down, f"{component}.{name}.lora_B.weight": up}
    ending = ".lora_linear_layer" if component.startswith("text_encoder") else ".lora"
    return {f"{component}.{name}{ending}.down.weight": down, f"{component}.{name}{ending}.up.weight": up}


def every_module(model: nn.Module) -> list[str]:
    """Names of all that a LoRA can add to, as LoCon files have them."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and "add_embedding" not in name
    ]


def attention(model: nn.Module) -> list[str]:
    """Names of the linear modules of transformer blocks, which most files are about."""
    return [name for name in every_module(model) if "transformer_blocks" in name]


def merge(model: nn.Module, deltas: Deltas, scale: float = 1.0) -> None:
    """Add to the weights for good."""
    with torch.no_grad():
        for name, delta in deltas.items():
            weight: Any = model.get_submodule(name).weight
            weight += (delta * scale).to(weight)
