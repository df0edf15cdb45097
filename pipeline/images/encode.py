"""Finished pixels as PNG files that say how they came about, as A1111 writes it."""

import io
import json
import re
from typing import Final

import torch
from PIL import Image, PngImagePlugin

from pipeline.protocol.messages import ImageFile
from pipeline.protocol.requests import GenerationRequest, Upscale

MEDIA_TYPE: Final = "image/png"

_RESERVED_LINE = re.compile(r"^(\s*negative prompt):", re.IGNORECASE | re.MULTILINE)


def parameters_text(request: GenerationRequest, model_title: str) -> str:
    """The `parameters` chunk that A1111, ComfyUI and galleries read, of a request for one image.

    A reader takes the line that starts with "Negative prompt:" for the negative prompt, so that a member's own
    line of that kind gets a space before its colon.
    """
    lines = [_plain(request.prompt)]
    if request.negative_prompt:
        lines.append(f"Negative prompt: {_plain(request.negative_prompt)}")
    facts = {
        "Steps": request.num_inference_steps,
        "Sampler": request.scheduler_name,
        "CFG scale": f"{request.guidance_scale:g}",
        "Seed": request.seed,
        "Size": f"{request.width}x{request.height}",
        "Model": model_title,
        **_variation_facts(request),
        **_upscale_facts(request),
    }
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in facts.items()))
    return "\n".join(lines)


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """Pixels [3, h, w] from 0 to 1 as an RGB picture."""
    array = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()
    return Image.fromarray(array)


def encode_png(picture: Image.Image, parameters: str, *, index: int, seed: int) -> ImageFile:
    """One picture of a job as a PNG file with its `parameters`."""
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", parameters)
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=text)
    return ImageFile(
        index=index,
        data=data.getvalue(),
        media_type=MEDIA_TYPE,
        width=picture.width,
        height=picture.height,
        seed=seed,
    )


def resampled(picture: Image.Image, upscale: Upscale | None) -> Image.Image:
    """The picture larger, where that is asked and nothing was drawn anew for it."""
    if upscale is None or upscale.strength > 0:
        return picture
    size = (picture.width * upscale.scale, picture.height * upscale.scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _variation_facts(request: GenerationRequest) -> dict[str, str | int]:
    """A1111 knows one variation; more than one are written in our own words."""
    if not request.variations:
        return {}
    if len(request.variations) == 1:
        (only,) = request.variations
        return {"Variation seed": only.seed, "Variation seed strength": f"{only.strength:g}"}
    return {"Variations": "; ".join(f"{step.seed} {step.strength:g}" for step in request.variations)}


def _upscale_facts(request: GenerationRequest) -> dict[str, str | int]:
    """As A1111 names what its own second pass does."""
    if request.upscale is None:
        return {}
    facts: dict[str, str | int] = {"Hires upscale": request.upscale.scale, "Hires upscaler": "Lanczos"}
    if request.upscale.strength > 0:
        facts["Denoising strength"] = f"{request.upscale.strength:g}"
    return facts


def _plain(words: str) -> str:
    lines = "\n".join(words.replace("\0", "").splitlines())
    return _RESERVED_LINE.sub(r"\1 :", lines)


def _quoted(value: str) -> str:
    """A1111 quotes values that hold what separates values."""
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ',:\n"') else value
