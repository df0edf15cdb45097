"""LoRAs for flow transformers in the ways of their trainers: each adds the same to the same modules."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.families import grids, packed
from pipeline.engine.families.flow import flux, flux2, z_image
from pipeline.engine.loras.contents import read_contents
from pipeline.engine.loras.files import LoraUnfit, pairs_in
from pipeline.engine.loras.kinds import check_is_lora, family_of
from pipeline.engine.loras.rows import fitted
from pipeline.engine.weights.headers import read_header

RANK, ALPHA = 4, 2.0
Groups = Mapping[str, Sequence[str]]
"""Modules of the network whose outputs one pair of matrices of the file adds to, by the name in the file."""


def check(path: Path, network: Any, groups: Groups, way: str, family: str, convert: Callable[..., Any]) -> None:
    """Write a LoRA with matrices and alphas as kohya's trainer or as PEFT names them, and check what it adds."""
    dice = torch.Generator().manual_seed(3)
    state: dict[str, torch.Tensor] = {}
    wanted: dict[str, torch.Tensor] = {}
    for name, modules in groups.items():
        shapes = [tuple(network.get_submodule(module).weight.shape) for module in modules]
        down = torch.randn(RANK, shapes[0][1], generator=dice)
        up = torch.randn(sum(shape[0] for shape in shapes), RANK, generator=dice)
        ends = ("lora_down", "lora_up") if way == "kohya" else ("lora_A", "lora_B")
        state |= {f"{name}.{ends[0]}.weight": down, f"{name}.{ends[1]}.weight": up}
        state[f"{name}.alpha"] = torch.tensor(ALPHA)
        parts = up.split([shape[0] for shape in shapes])
        wanted |= {module: part @ down * (ALPHA / RANK) for module, part in zip(modules, parts, strict=True)}
    save_file(state, path)
    assert family_of(read_header(path)) == family
    (pairs,) = pairs_in(read_contents(path, check_is_lora), network.config, convert, "transformer").values()
    found = fitted(pairs, network)
    assert found.keys() == wanted.keys()
    for module, delta in wanted.items():
        assert (found[module].up @ found[module].down).allclose(delta, atol=1e-5), module


@pytest.mark.parametrize(
    ("way", "start"),
    [
        ("peft", "transformer."),
        ("peft", "diffusion_model."),
        ("peft", "base_model.model."),
        ("peft", ""),
        ("kohya", "diffusion_model."),
        ("kohya", "lora_unet_"),
    ],
)
@pytest.mark.parametrize("is_fused", [False, True])
def test_z_image(tmp_path: Path, way: str, start: str, *, is_fused: bool) -> None:
    attention, gate = "layers.0.attention", "noise_refiner.0.feed_forward.w1"
    separate = [f"{attention}.to_{part}" for part in "qkv"]
    groups: dict[str, Sequence[str]] = {gate: [gate], f"{attention}.to_out.0": [f"{attention}.to_out.0"]}
    groups |= {name: [name] for name in separate}
    if is_fused:
        groups = {gate: [gate], f"{attention}.out": [f"{attention}.to_out.0"], f"{attention}.qkv": separate}
    if start.endswith("_"):
        groups = {name.replace(".", "_"): modules for name, modules in groups.items()}
    named = {start + name: modules for name, modules in groups.items()}
    check(tmp_path / "a.safetensors", grids.z_image().transformer, named, way, "z-image", z_image.lora_state_dict)


FLUX2_ORIGINAL = {
    "double_blocks.0.img_attn.qkv": [f"transformer_blocks.0.attn.to_{part}" for part in "qkv"],
    "double_blocks.0.txt_attn.qkv": [f"transformer_blocks.0.attn.add_{part}_proj" for part in "qkv"],
    "double_blocks.0.img_mlp.0": ["transformer_blocks.0.ff.linear_in"],
    "single_blocks.0.linear1": ["single_transformer_blocks.0.attn.to_qkv_mlp_proj"],
    "single_blocks.0.linear2": ["single_transformer_blocks.0.attn.to_out"],
}


@pytest.mark.parametrize(
    ("way", "start"),
    [("peft", "diffusion_model."), ("peft", "base_model.model."), ("peft", ""), ("kohya", "diffusion_model.")],
)
def test_flux_2_with_the_original_names(tmp_path: Path, way: str, start: str) -> None:
    named = {start + name: modules for name, modules in FLUX2_ORIGINAL.items()}
    check(tmp_path / "a.safetensors", packed.klein().transformer, named, way, "flux2", flux2.lora_state_dict)


def test_flux_2_of_kohya(tmp_path: Path) -> None:
    named = {f"lora_unet_{name.replace('.', '_')}": modules for name, modules in FLUX2_ORIGINAL.items()}
    network = packed.klein().transformer
    check(tmp_path / "a.safetensors", network, named, "kohya", "flux2", flux2.lora_state_dict)
    named["lora_unet_something_else"] = ["transformer_blocks.0.ff.linear_out"]
    with pytest.raises(LoraUnfit):
        check(tmp_path / "b.safetensors", network, named, "kohya", "flux2", flux2.lora_state_dict)


def test_flux_2_with_the_names_of_diffusers(tmp_path: Path) -> None:
    modules = [module for group in FLUX2_ORIGINAL.values() for module in group]
    named = {f"transformer.{module}": [module] for module in modules}
    check(tmp_path / "a.safetensors", packed.klein().transformer, named, "peft", "flux2", flux2.lora_state_dict)


FLUX_ORIGINAL = {
    "double_blocks.0.img_attn.qkv": [f"transformer_blocks.0.attn.to_{part}" for part in "qkv"],
    "double_blocks.0.txt_attn.qkv": [f"transformer_blocks.0.attn.add_{part}_proj" for part in "qkv"],
    "double_blocks.0.img_mlp.0": ["transformer_blocks.0.ff.net.0.proj"],
    "single_blocks.0.linear2": ["single_transformer_blocks.0.proj_out"],
}


@pytest.mark.parametrize(
    ("way", "start"),
    [
        ("peft", "diffusion_model."),
        ("peft", "base_model.model."),
        ("peft", ""),
        ("kohya", "diffusion_model."),
        ("kohya", "lora_unet_"),
    ],
)
def test_flux_1_with_the_original_names(tmp_path: Path, way: str, start: str) -> None:
    named = {start + name: modules for name, modules in FLUX_ORIGINAL.items()}
    if start.endswith("_"):
        named = {name.replace(".", "_"): modules for name, modules in named.items()}
    check(tmp_path / "a.safetensors", packed.flux_dev().transformer, named, way, "flux", flux.lora_state_dict)


def test_flux_1_of_another_width_is_unfit(tmp_path: Path) -> None:
    """diffusers splits the first layer of single blocks as it is in the published model."""
    named = {"lora_unet_single_blocks_0_linear1": ["single_transformer_blocks.0.proj_mlp"]}
    with pytest.raises(LoraUnfit):
        check(tmp_path / "a.safetensors", packed.flux_dev().transformer, named, "kohya", "flux", flux.lora_state_dict)
