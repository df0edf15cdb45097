"""Real safety checkers, made small: the class of Stable Diffusion's own with random weights."""

from pathlib import Path
from typing import Any, Final

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor

_SIDE: Final = 32
_NEVER: Final = 2.0
"""No cosine is larger."""
_ALIKE: Final = 0.999


def save_checker(folder: Path, *, flagged: Image.Image | None = None) -> Path:
    """Write a checker that flags this picture alone, or every picture.

    The folder then looks like that of a Stable Diffusion 1.x model.
    """
    torch.manual_seed(0)
    checker: Any = StableDiffusionSafetyChecker(_configuration())
    for weights in checker.vision_model.parameters():
        torch.nn.init.normal_(weights)  # as they are made, all pictures look the same to it
    size = {"height": _SIDE, "width": _SIDE}
    processor: Any = CLIPImageProcessor(size={"shortest_edge": _SIDE}, crop_size=size)
    checker.special_care_embeds_weights.fill_(_NEVER)
    if flagged is None:
        checker.concept_embeds_weights.fill_(-_NEVER)
    else:
        checker.concept_embeds_weights.fill_(_NEVER)
        checker.concept_embeds_weights[0] = _ALIKE
        with torch.inference_mode():
            pixels = processor([flagged], return_tensors="pt").pixel_values
            checker.concept_embeds[0] = checker.visual_projection(checker.vision_model(pixels)[1])[0]
    checker.save_pretrained(folder / "safety_checker")
    processor.save_pretrained(folder / "feature_extractor")
    return folder


def _configuration() -> CLIPConfig:
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return CLIPConfig(
        vision_config={**small, "image_size": _SIDE, "patch_size": 8},
        text_config={**small, "vocab_size": 50_000},
        projection_dim=8,
    )
