"""The content check: which finished pictures are hidden by the safety filter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPImageProcessor

from pipeline.engine.devices import Placement
from pipeline.engine.failures import ModelUnavailable, detail_of
from pipeline.engine.headers import check_safetensors


class SafetyChecker:
    """The one that comes with Stable Diffusion 1.x, for the pictures of every model.

    Args:
        folder: a diffusers folder that holds `safety_checker` and `feature_extractor`, or one with the files of
            both, as its publisher has it.
        placement: device and precision.

    Raises:
        ModelUnavailable: one sentence about what is missing or broken.
    """

    def __init__(self, folder: Path, placement: Placement) -> None:
        weights = _part(folder, "safety_checker")
        check_safetensors(weights / "model.safetensors")
        try:
            self._processor: Any = CLIPImageProcessor.from_pretrained(
                _part(folder, "feature_extractor"), local_files_only=True
            )
            self._checker: Any = StableDiffusionSafetyChecker.from_pretrained(
                weights, use_safetensors=True, local_files_only=True
            )
        # Libraries raise whatever their parsers raise; the owner reads one sentence.
        except Exception as error:
            raise ModelUnavailable(f"The safety checker in {folder} cannot be loaded: {detail_of(error)}") from error
        self._placement = placement
        self._checker.to(placement.device, placement.dtype).eval().requires_grad_(False)

    @torch.inference_mode()
    def flagged(self, pictures: Sequence[Image.Image]) -> list[bool]:
        """Whether each RGB picture is to be hidden."""
        pixels: torch.Tensor = self._processor([*pictures], return_tensors="pt").pixel_values
        # It blackens what it is given, so it is given nothing that is kept.
        unused = [torch.empty(0) for _ in pictures]
        _, flags = self._checker(pixels.to(self._placement.device, self._placement.dtype), unused)
        return [bool(flag) for flag in flags]


def _part(folder: Path, name: str) -> Path:
    inner = folder / name
    return inner if inner.is_dir() else folder
