"""Safety checker: decides which finished pictures are hidden."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPImageProcessor

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import blaming
from pipeline.engine.weights.completeness import check_component
from pipeline.engine.weights.components import find_weights, part_of
from pipeline.engine.weights.finite import check_numbers


class SafetyChecker:
    """Safety checker of Stable Diffusion 1.x, used for the pictures of every model.

    Args:
        folder: a diffusers folder with `safety_checker` and `feature_extractor`, or one folder with the files of both,
            as its publisher offers it.
        placement: device and precision.

    Raises:
        ModelUnavailable: a file is missing or broken; the message is one sentence about it.
    """

    def __init__(self, folder: Path, placement: Placement) -> None:
        weights = part_of(folder, "safety_checker")
        with blaming(f"The safety checker in {folder} cannot be loaded"):
            found = find_weights(weights, StableDiffusionSafetyChecker)
            check_component("safety_checker", StableDiffusionSafetyChecker, weights, found)
            self._processor: Any = CLIPImageProcessor.from_pretrained(
                part_of(folder, "feature_extractor"), local_files_only=True
            )
            self._checker: Any = StableDiffusionSafetyChecker.from_pretrained(
                weights, use_safetensors=True, local_files_only=True, variant=found.variant
            )
            check_numbers({"safety_checker": self._checker}, f"in {folder}")
        self._placement = placement
        self._checker.to(placement.device, placement.dtype).eval().requires_grad_(False)

    @torch.inference_mode()
    def flagged(self, pictures: Sequence[Image.Image]) -> list[bool]:
        """True for each RGB picture that must be hidden."""
        pixels: torch.Tensor = self._processor([*pictures], return_tensors="pt").pixel_values
        # The checker blackens the images that it gets, so it gets empty tensors.
        unused = [torch.empty(0) for _ in pictures]
        _, flags = self._checker(pixels.to(self._placement.device, self._placement.dtype), unused)
        return [bool(flag) for flag in flags]
