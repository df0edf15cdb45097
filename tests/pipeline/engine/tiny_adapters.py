"""Tiny IP-Adapters with random weights, in the files of their publishers, and the image encoder that they read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from pipeline.engine.references.files import Kind
from pipeline.engine.references.layers import cross_attention
from tests.pipeline.engine.tiny import made

VECTOR = 20
HIDDEN = 24
SIDE = 32
_QUERIES = 4
_RESAMPLED = 16
_HEAD = 64
"""Features of a head in a Plus adapter; diffusers divides by this number."""
_DEPTH = 4


def deeper(pipeline: Any) -> Any:
    """The pipeline with a U-Net that has the blocks of style and composition, as the real ones have."""
    config = {
        **pipeline.unet.config,
        "block_out_channels": (16, 32, 32),
        "layers_per_block": 2,
        "attention_head_dim": (2, 4, 4),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": 1,
    }
    torch.manual_seed(11)
    pipeline.register_modules(unet=UNet2DConditionModel.from_config(config))
    return pipeline


def save_encoder(folder: Path) -> Path:
    """An image encoder in a folder of its own."""
    torch.manual_seed(12)
    config = made(
        CLIPVisionConfig,
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=8,
        projection_dim=VECTOR,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def save_adapter(path: Path, unet: Any, kind: Kind, seed: int = 13) -> Path:
    """An adapter of this kind that fits the U-Net."""
    dice = torch.Generator().manual_seed(seed)

    def weight(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=dice) / shape[-1] ** 0.5

    text = int(unet.config.cross_attention_dim)
    state = {f"image_proj.{name}": weight(*shape) for name, shape in _SHAPES[kind](text).items()}
    for number, layer in enumerate(cross_attention(unet).values()):
        for part in ("to_k_ip", "to_v_ip"):
            state[f"ip_adapter.{2 * number + 1}.{part}.weight"] = weight(layer.to_q.out_features, text)
    save_file(state, path)
    return path


def _norm(name: str, features: int) -> dict[str, Sequence[int]]:
    return {f"{name}.weight": (features,), f"{name}.bias": (features,)}


def _plain(text: int) -> dict[str, Sequence[int]]:
    return {"proj.weight": (4 * text, VECTOR), "proj.bias": (4 * text,), **_norm("norm", text)}


def _full(text: int) -> dict[str, Sequence[int]]:
    first: dict[str, Sequence[int]] = {"proj.0.weight": (HIDDEN, HIDDEN), "proj.0.bias": (HIDDEN,)}
    return {**first, "proj.2.weight": (text, HIDDEN), "proj.2.bias": (text,), **_norm("proj.3", text)}


def _plus(text: int) -> dict[str, Sequence[int]]:
    shapes: dict[str, Sequence[int]] = {
        "latents": (1, _QUERIES, _RESAMPLED),
        "proj_in.weight": (_RESAMPLED, HIDDEN),
        "proj_in.bias": (_RESAMPLED,),
        "proj_out.weight": (text, _RESAMPLED),
        "proj_out.bias": (text,),
        **_norm("norm_out", text),
    }
    for depth in range(_DEPTH):
        layer = f"layers.{depth}"
        shapes |= _norm(f"{layer}.0.norm1", _RESAMPLED) | _norm(f"{layer}.0.norm2", _RESAMPLED)
        shapes |= {f"{layer}.0.to_q.weight": (_HEAD, _RESAMPLED), f"{layer}.0.to_kv.weight": (2 * _HEAD, _RESAMPLED)}
        shapes |= {f"{layer}.0.to_out.weight": (_RESAMPLED, _HEAD), **_norm(f"{layer}.1.0", _RESAMPLED)}
        shapes |= {f"{layer}.1.1.weight": (4 * _RESAMPLED, _RESAMPLED)}
        shapes |= {f"{layer}.1.3.weight": (_RESAMPLED, 4 * _RESAMPLED)}
    return shapes


_SHAPES = {"plain": _plain, "full": _full, "plus": _plus}
