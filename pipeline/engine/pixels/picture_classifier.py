"""Tells sexual pictures from others: the shipped MobileNetV2 of nsfwjs (https://github.com/infinitered/nsfwjs).

It looks at a picture of 224 x 224 pixels and gives five classes that sum to 1. It calls soft color gradients sexual
up to 0.47, so a threshold below that hides harmless pictures.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from transformers import MobileNetV2Config, MobileNetV2Model
from transformers.models.mobilenet_v2.modeling_mobilenet_v2 import MobileNetV2ConvLayer

from pipeline.engine.device.acceleration import Forward, part_runner
from pipeline.engine.device.placement import Placement

WEIGHTS: Final = Path(__file__).parents[3] / "models/picture-classifier/nsfwjs-mobilenet-v2.safetensors"
_SIDE: Final = 224


class Classes(msgspec.Struct, frozen=True):
    """Probabilities of the five classes of one picture, which sum to 1, in the order of the network."""

    drawing: float
    hentai: float
    neutral: float
    porn: float
    sexy: float


def classify(pictures: Sequence[Image.Image], placement: Placement | None = None) -> list[Classes]:
    """The classes of RGB pictures of any size, computed on the CPU.

    Args:
        pictures: each is judged by itself, so others change no bit of its classes.
        placement: OpenVINO computes them if it is the accelerator of this placement; otherwise torch does.
    """
    forward = _runner(placement)
    with torch.inference_mode():
        found = [forward({"pixels": _pixels(picture)})[0].softmax(dim=0).tolist() for picture in pictures]
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
def _runner(placement: Placement | None) -> Forward:
    network = _network()

    def forward(inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return network(inputs["pixels"])

    return forward if placement is None else part_runner(network, forward, placement)


@cache
def _network() -> _Network:
    network = _Network()
    network.load_state_dict(load_file(WEIGHTS), strict=False)  # the file leaves out the counts of batches
    network.float().eval().requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, MobileNetV2ConvLayer) and isinstance(layer.normalization, nn.BatchNorm2d):
            # One convolution instead of two passes over its output; logits change by less than 1e-5.
            layer.convolution, layer.normalization = fuse_conv_bn_eval(layer.convolution, layer.normalization), None
    # As the pixels lie in memory.
    return network.to(memory_format=torch.channels_last)


def _pixels(picture: Image.Image) -> torch.Tensor:
    """The picture squeezed to the network's square, as its makers do, [1, 3, 224, 224] from 0 to 1."""
    small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return torch.from_numpy(np.asarray(small, dtype=np.float32) / 255).permute(2, 0, 1)[None]
