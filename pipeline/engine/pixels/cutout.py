"""Finds the foreground of a picture with a network of U2-Net's kind, which OpenVINO reads from an ONNX file."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.engine.device.openvino_network import compiled_on_processor, the_core
from pipeline.engine.failures import BrokenImage, ModelUnavailable, blaming
from pipeline.engine.pixels.enlarging import Pixels
from pipeline.protocol.catalogue.networks import CutoutFamily, CutoutSpec

_PICTURE_RANK: Final = 4


class _Input(msgspec.Struct, frozen=True, kw_only=True):
    """What a family's networks take and make.

    Attributes:
        side: side of the picture, for a file that allows any.
        is_stretched: whether its brightest value becomes 1 before anything else, and results are stretched to 0 to 1.
        mean: subtracted from the values 0 to 1 of each channel.
        deviation: divides what remains.
        makes_logits: whether results are before the sigmoid.
    """

    side: int
    is_stretched: bool
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    makes_logits: bool = False


_INPUTS: Final[Mapping[CutoutFamily, _Input]] = MappingProxyType(
    {
        "u2net": _Input(side=320, is_stretched=True),
        "isnet": _Input(side=1_024, is_stretched=True, mean=(0.5, 0.5, 0.5), deviation=(1.0, 1.0, 1.0)),
        "birefnet": _Input(side=1_024, is_stretched=False, makes_logits=True),
    }
)
"""As in the repositories of their authors: xuebinqin/U-2-Net, xuebinqin/DIS and ZhengPeng7/BiRefNet; and in rembg."""


class CutoutNetwork:
    """The network, compiled for the processor in float32.

    Attributes:
        side: side in pixels of the picture that it looks at.

    Raises:
        ModelUnavailable: the file is missing or broken, is no such network, or OpenVINO is missing.
    """

    def __init__(self, spec: CutoutSpec) -> None:
        path = Path(spec.path)
        if path.suffix != ".onnx":
            raise ModelUnavailable(f"The network {path.name} is no .onnx file; other files are not read for a cutout.")
        if not path.is_file():
            raise ModelUnavailable(f"The file {path} does not exist.")
        if importlib.util.find_spec("openvino") is None:
            raise ModelUnavailable(
                f"OpenVINO reads {path.name}, and its package is not installed; install it with "
                "`uv sync --extra openvino`."
            )
        self._input: Final = _INPUTS[spec.family]
        self._title: Final = spec.title
        with blaming(f"The network {path.name} cannot be loaded"):
            model = the_core().read_model(path)
            self.side = _side_of(model, self._input.side, path.name)
            model.reshape([1, 3, self.side, self.side])
            self._check_result(model.outputs[0], path.name)
            self._request: Any = compiled_on_processor(model)

    def _check_result(self, result: Any, name: str) -> None:
        shape = result.partial_shape
        if shape.rank.is_static and [*shape][-2:] != [self.side, self.side]:
            raise ModelUnavailable(f"The network {name} makes no mask of the picture that it is given.")

    def opacity(self, picture: Pixels) -> NDArray[np.uint8]:
        """How much each pixel of a picture [h, w, 3] belongs to the foreground: [h, w], 255 for all of it.

        Raises:
            BrokenImage: the result holds NaN or infinity.
        """
        height, width, _ = picture.shape
        self._request.infer([self._prepared(picture)])
        # Copied, because the next inference overwrites this memory.
        result = np.array(self._request.get_output_tensor(0).data, dtype=np.float32).reshape(-1, self.side, self.side)
        mask = result[0]
        if not np.isfinite(mask).all():
            raise BrokenImage(f"The network {self._title} left the range of numbers.")
        if self._input.makes_logits:
            mask = torch.from_numpy(mask).sigmoid().numpy()
        if self._input.is_stretched and (spread := float(np.ptp(mask))) > 0:
            mask = (mask - mask.min()) / spread
        small = Image.fromarray((mask.clip(0, 1) * 255).round().astype(np.uint8))
        return np.asarray(small.resize((width, height), Image.Resampling.LANCZOS))

    def _prepared(self, picture: Pixels) -> NDArray[np.float32]:
        """The network's input [1, 3, side, side]."""
        small = Image.fromarray(picture).resize((self.side, self.side), Image.Resampling.LANCZOS)
        values = np.asarray(small, dtype=np.float32) / 255
        if self._input.is_stretched:
            values = values / max(float(values.max()), 1e-6)
        mean, deviation = (np.array(each, np.float32) for each in (self._input.mean, self._input.deviation))
        return ((values - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32, order="C")


def _side_of(model: Any, usual: int, name: str) -> int:
    """The side of the network's input.

    Raises:
        ModelUnavailable: it takes no square picture.
    """
    shape = [each.partial_shape for each in model.inputs]
    if len(shape) != 1 or shape[0].rank.is_dynamic or len(shape[0]) != _PICTURE_RANK:
        raise ModelUnavailable(f"The network {name} does not take one picture.")
    _, channels, height, width = shape[0]
    if (channels.is_static and channels.get_length() != len("RGB")) or height != width:
        raise ModelUnavailable(f"The network {name} does not take a square picture with three channels.")
    return height.get_length() if height.is_static else usual
