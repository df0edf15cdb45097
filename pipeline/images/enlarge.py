"""A small upscaling network behind models that draw small pictures."""

from pathlib import Path

import torch
from spandrel import ImageModelDescriptor, ModelLoader
from torch import nn

from pipeline.engine.devices import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.headers import check_safetensors
from pipeline.protocol.models import Enlarger


class LoadedEnlarger:
    """An enlarging network on its device.

    Raises:
        ModelUnavailable: the file is missing or broken, or enlarges by another factor than the catalogue says.
    """

    def __init__(self, enlarger: Enlarger, placement: Placement) -> None:
        path = Path(enlarger.path)
        check_safetensors(path)
        try:
            model = ModelLoader(device="cpu").load_from_file(path)
        # spandrel raises its own errors and those of every architecture: all say that this file is none.
        except Exception as error:
            raise ModelUnavailable(f"The enlarger {path.name} cannot be loaded.") from error
        if not isinstance(model, ImageModelDescriptor) or model.scale != enlarger.scale:
            raise ModelUnavailable(f"The enlarger {path.name} does not enlarge {enlarger.scale} times.")
        is_half = placement.dtype is torch.float16 and model.supports_half
        self._dtype = torch.float16 if is_half else torch.float32
        self._model = model.to(placement.device, self._dtype).eval()

    @property
    def module(self) -> nn.Module:
        """What has the weights."""
        return self._model.model

    @torch.inference_mode()
    def enlarge(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [n, 3, h, w] from 0 to 1 to [n, 3, scale * h, scale * w], float32."""
        return self._model(pixels.to(self._dtype)).float().clamp(0, 1)
