"""The content check: which finished pictures are hidden by the safety filter."""

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
    """The one that comes with Stable Diffusion 1.x, for the pictures of every model.

    Args:
        folder: a diffusers folder that holds `safety_checker` and `feature_extractor`, or one with the files of
            both, as its publisher has it.
        placement: device and precision.

    Raises:
        ModelUnavailable: one sentence about what is missing or broken.
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
        """Whether each RGB picture is to be hidden."""
        pixels: torch.Tensor = self._processor([*pictures], return_tensors="pt").pixel_values
        # It blackens what it is given, so it is given nothing that is kept.
        unused = [torch.empty(0) for _ in pictures]
        _, flags = self._checker(pixels.to(self._placement.device, self._placement.dtype), unused)
        return [bool(flag) for flag in flags]
