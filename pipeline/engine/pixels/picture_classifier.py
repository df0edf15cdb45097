"""Tells sexual pictures from others: the shipped MobileNetV2 of nsfwjs (https://github.com/infinitered/nsfwjs).

It looks at a picture of 224 x 224 pixels and gives five classes that sum to 1. It calls soft color gradients sexual
up to 0.47, so a threshold below that hides harmless pictures.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from transformers import MobileNetV2Config, MobileNetV2Model

WEIGHTS: Final = Path(__file__).parents[3] / "models/picture-classifier/nsfwjs-mobilenet-v2.safetensors"
_SIDE: Final = 224


class Classes(msgspec.Struct, frozen=True):
    """Probabilities of the five classes of one picture, which sum to 1, in the order of the network."""

    drawing: float
    hentai: float
    neutral: float
    porn: float
    sexy: float


def classify(pictures: Sequence[Image.Image]) -> list[Classes]:
    """The classes of RGB pictures of any size, computed on the CPU."""
    with torch.inference_mode():
        found = [_network()(_pixels(picture))[0].softmax(dim=0).tolist() for picture in pictures]
    return [Classes(*each) for each in found]


class _Network(nn.Module):
    """MobileNetV2 (Sandler et al. 2018) with three dense layers above its mean feature."""

    def __init__(self) -> None:
        super().__init__()
        self.body = MobileNetV2Model(MobileNetV2Config())
        self.head = nn.Sequential(nn.Linear(1280, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 5))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits [1, 5] of RGB pixels [1, 3, 224, 224] from 0 to 1."""
        return self.head(self.body(pixels).pooler_output)


@cache
def _network() -> _Network:
    network = _Network()
    network.load_state_dict(load_file(WEIGHTS), strict=False)  # the file leaves out the counts of batches
    return network.float().eval().requires_grad_(False)


def _pixels(picture: Image.Image) -> torch.Tensor:
    """The picture squeezed to the network's square, as its makers do, [1, 3, 224, 224] from 0 to 1."""
    small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return torch.from_numpy(np.asarray(small, dtype=np.float32) / 255).permute(2, 0, 1)[None]
