"""Maps of depth, as ControlNets for depth were trained on: near is white, far is black."""

from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import interpolate

from pipeline.engine.control.estimators import ModelTypes, check_folder, read_estimator
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import BrokenImage

_LEAST_METRES = 1e-3


class DepthEstimator:
    """A model that estimates depth: DPT (MiDaS) or Depth Anything.

    Args:
        folder: folder of the model.
        placement: the device.

    Attributes:
        model_types: the models that can be read, by transformers' names.

    Raises:
        ModelUnavailable: a file is missing or broken, or it is another model.
    """

    model_types: ClassVar[ModelTypes] = MappingProxyType(
        {"dpt": "DPTForDepthEstimation", "depth_anything": "DepthAnythingForDepthEstimation"}
    )

    def __init__(self, folder: Path, placement: Placement) -> None:
        self._model, self._processor = read_estimator(folder, self.model_types, placement)
        # Most models give the inverse of the distance; metric ones give the distance in metres.
        self._is_metric = getattr(self._model.config, "depth_estimation_type", "relative") == "metric"
        self._device = placement.device

    @classmethod
    def check(cls, folder: Path) -> str:
        """Check without loading that a folder holds such a model.

        Returns:
            An empty string: there is nothing more to say of it.

        Raises:
            ModelUnavailable: a file is missing or broken, or it is another model; the message is one sentence.
        """
        check_folder(folder, cls.model_types)
        return ""

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights."""
        return (self._model,)

    @torch.inference_mode()
    def map_of(self, picture: Image.Image) -> Image.Image:
        """Gray map of an RGB picture's depth, of its size and as RGB.

        Raises:
            BrokenImage: the estimate holds NaN or infinity.
        """
        given: Any = self._processor(images=picture, return_tensors="pt")
        depth: torch.Tensor = self._model(given["pixel_values"].to(self._device)).predicted_depth.float()
        if self._is_metric:
            depth = 1 / depth.clamp(min=_LEAST_METRES)
        whole = interpolate(depth[:, None], (picture.height, picture.width), mode="bicubic", align_corners=False)[0, 0]
        if not bool(whole.isfinite().all()):
            raise BrokenImage("The map of the depth holds NaN or infinity.")
        spread = (whole - whole.min()) / (whole.max() - whole.min()).clamp(min=torch.finfo(whole.dtype).tiny)
        gray = (spread * 255).round().to(torch.uint8).cpu().numpy()
        return Image.fromarray(np.ascontiguousarray(gray)).convert("RGB")
