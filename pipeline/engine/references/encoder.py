"""Image encoders of IP-Adapter: CLIP's vision model, which turns a picture into features."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from torch import nn
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import blaming
from pipeline.engine.weights.completeness import check_component
from pipeline.engine.weights.components import find_weights, read_json
from pipeline.engine.weights.finite import check_numbers

_LAST_BUT_ONE: Final = -2
"""Hidden states that Plus adapters read."""


class ImageEncoder:
    """An image encoder on its device. It encodes one picture at a time, so that features depend on no other picture.

    Args:
        folder: a folder with the weights and `config.json`.
        placement: device and precision.

    Raises:
        ModelUnavailable: a file is missing or broken.
    """

    def __init__(self, folder: Path, placement: Placement) -> None:
        check_encoder(folder)
        variant = find_weights(folder, CLIPVisionModelWithProjection).variant
        shared: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "dtype": placement.dtype}
        with blaming(f"The image encoder {folder} cannot be loaded"), torch.inference_mode(mode=False):
            self._network: Any = CLIPVisionModelWithProjection.from_pretrained(folder, variant=variant, **shared)
            check_numbers({"image_encoder": self._network}, f"in {folder}")
            self._network.to(placement.device).eval().requires_grad_(requires_grad=False)
        self._placement = placement
        side = int(self._network.config.image_size)
        # The values of diffusers' pipelines; the picture is a square already, so nothing is cropped.
        self._processor: Any = CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        )

    @property
    def config(self) -> CLIPVisionConfig:
        """Its configuration."""
        return self._network.config

    @property
    def module(self) -> nn.Module:
        """Module with the weights."""
        return self._network

    def vector(self, picture: Image.Image) -> torch.Tensor:
        """The projected vector of a picture, [1, features]."""
        return self._network(self._pixels(picture)).image_embeds

    def hidden_states(self, picture: Image.Image | None) -> torch.Tensor:
        """The last but one hidden states of a picture, [1, places, features]; None is a picture of zeros."""
        side = int(self._network.config.image_size)
        zeros = torch.zeros((1, 3, side, side), device=self._placement.device, dtype=self._placement.dtype)
        pixels = zeros if picture is None else self._pixels(picture)
        return self._network(pixels, output_hidden_states=True).hidden_states[_LAST_BUT_ONE]

    def _pixels(self, picture: Image.Image) -> torch.Tensor:
        pixels: torch.Tensor = self._processor(squared(picture), return_tensors="pt").pixel_values
        return pixels.to(self._placement.device, self._placement.dtype)


def squared(picture: Image.Image) -> Image.Image:
    """Pad an RGB picture to a square with its mean color; CLIP's own processor would cut its ends off."""
    side = max(picture.size)
    if picture.size == (side, side):
        return picture
    mean = np.asarray(picture, dtype=np.float64).mean(axis=(0, 1)).round().astype(int)
    canvas = Image.new("RGB", (side, side), tuple(mean.tolist()))
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return canvas


def check_encoder(folder: Path) -> CLIPVisionConfig:
    """Check the files of an encoder in a folder, and return its configuration.

    Raises:
        ModelUnavailable: a file is missing or broken.
    """
    weights = find_weights(folder, CLIPVisionModelWithProjection)
    read_json(folder / "config.json")
    with blaming(f"The image encoder in {folder} cannot be read"):
        check_component("image_encoder", CLIPVisionModelWithProjection, folder, weights)
        return CLIPVisionConfig.from_pretrained(folder, local_files_only=True)
