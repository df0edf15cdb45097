"""A tiny Stable Diffusion 1.x as one file, under the names that A1111 and ComfyUI use."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]

_UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def checkpoint_of(pipeline: StableDiffusionPipeline) -> Tensors:
    """Every tensor of a tiny pipeline by its old name."""
    unet, vae, text_encoder = (part.state_dict() for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder))
    named = {f"model.diffusion_model.{_unet(name, unet)}": tensor for name, tensor in unet.items()}
    named |= {f"first_stage_model.{name}": tensor for name, tensor in vae_of(vae).items()}
    named |= {
        f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}": tensor
        for name, tensor in text_encoder.items()
    }
    return {name: tensor.contiguous().clone() for name, tensor in named.items()}


def vae_of(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """A VAE's tensors by the names of a file that holds nothing else."""
    stages = 1 + max(int(found[1]) for name in tensors if (found := re.match(r"encoder\.down_blocks\.(\d+)", name)))
    return dict(_vae(name, tensor, stages) for name, tensor in tensors.items())


def written(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
    """The tensors in a file."""
    save_file(tensors, path, metadata=metadata)
    return path


def _unet(name: str, all_names: Mapping[str, Any]) -> str:
    for new, old in _UNET.items():
        if name.startswith(f"{new}."):
            return old + name.removeprefix(new)
    renamed = name
    if found := re.match(r"down_blocks\.(\d)\.(resnets|attentions|downsamplers)\.(\d)\.(.*)", name):
        first = 1 + 2 * int(found[1])
        place = first + 1 if found[2] == "downsamplers" else first + int(found[3])
        rest = f"0.op.{found[4].removeprefix('conv.')}" if found[2] == "downsamplers" else _place(found[2], found[4])
        renamed = f"input_blocks.{place}.{rest}"
    elif found := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        renamed = f"middle_block.{1 if found[1] == 'attentions' else 2 * int(found[2])}.{found[3]}"
    elif found := re.match(r"up_blocks\.(\d)\.(resnets|attentions|upsamplers)\.(\d)\.(.*)", name):
        first = 2 * int(found[1])
        place = first + 1 if found[2] == "upsamplers" else first + int(found[3])
        has_attention = any(each.startswith(f"up_blocks.{found[1]}.attentions.") for each in all_names)
        rest = f"{1 + has_attention}.{found[4]}" if found[2] == "upsamplers" else _place(found[2], found[4])
        renamed = f"output_blocks.{place}.{rest}"
    if ".resnets." in name:
        for new, old in _RESNET.items():
            renamed = re.sub(rf"\.{new}\.(weight|bias)$", rf".{old}.\1", renamed)
    return renamed


def _place(kind: str, rest: str) -> str:
    return f"{0 if kind == 'resnets' else 1}.{rest}"


def _vae(name: str, tensor: torch.Tensor, stages: int) -> tuple[str, torch.Tensor]:
    name = re.sub(r"encoder\.down_blocks\.(\d)\.resnets\.(\d)\.", r"encoder.down.\1.block.\2.", name)
    name = re.sub(r"encoder\.down_blocks\.(\d)\.downsamplers\.0\.", r"encoder.down.\1.downsample.", name)
    for stage in range(stages):
        before, after = f"decoder.up_blocks.{stage}.", f"decoder.up.{stages - 1 - stage}."
        name = name.replace(f"{before}resnets.", f"{after}block.")
        name = name.replace(f"{before}upsamplers.0.", f"{after}upsample.")
    name = re.sub(r"mid_block\.resnets\.(\d)\.", lambda found: f"mid.block_{int(found[1]) + 1}.", name)
    name = name.replace("mid_block.attentions.0.", "mid.attn_1.").replace("conv_shortcut", "nin_shortcut")
    name = name.replace("conv_norm_out", "norm_out")
    if "attn_1" in name:
        for new, old in _ATTENTION.items():
            name = name.replace(f"attn_1.{new}.", f"attn_1.{old}.")
        if tensor.dim() == 2:
            tensor = tensor[:, :, None, None]
    return name, tensor
