"""Generation parameters of a picture in A1111's format, which A1111, ComfyUI and galleries read."""

import json
import re
from typing import Final

import msgspec

from pipeline.protocol.program import easel_version
from pipeline.protocol.request_fields import FACTS
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import find_sampler

_RESERVED = re.compile(r"(negative prompt):", re.IGNORECASE)
_FACTS: Final = FACTS[GenerationRequest]
_VERSION: Final = f"Easel {easel_version()}"
_SCHEDULES: Final = ("Karras", "Exponential", "Beta")
"""Schedules that names of samplers end with."""
_UNSCHEDULED: Final = frozenset({"UniPCMultistepScheduler", "DDIMScheduler", "LCMScheduler"})
"""Schedulers with timesteps of their own, for which A1111 has no schedule name."""


def parameters_text(
    request: GenerationRequest, model_title: str, model_hash: str = "", *, first_block_cache: float | None = None
) -> str:
    """Text `parameters` of a request for one image.

    Readers look for "Negative prompt:" to find the negative prompt, some of them even within a line. So such words in a
    member's text get a space before their colon.

    Args:
        request: request for that image alone.
        model_title: the name that members see.
        model_hash: first digits of the weights' SHA-256; left out when empty.
        first_block_cache: threshold of the cache by which steps were shortened; None without one.

    Returns:
        The prompt, the negative prompt if there is one, and a line of settings.
    """
    lines = [_plain(request.prompt)]
    if request.negative_prompt:
        lines.append(f"Negative prompt: {_plain(request.negative_prompt)}")
    facts = {
        _key("num_inference_steps"): request.num_inference_steps,
        **_sampler_facts(request.scheduler_name),
        _key("guidance_scale"): f"{request.guidance_scale:g}",
        **_optional_facts(request),
        _key("seed"): request.seed,
        _key("width"): f"{request.width}x{request.height}",
        **({"Model hash": model_hash} if model_hash else {}),
        _key("model_key"): model_title,
        **_variation_facts(request),
        **_init_image_facts(request),
        **_inpaint_facts(request),
        **_upscale_facts(request),
        **({} if first_block_cache is None else {"First block cache": f"{first_block_cache:g}"}),
        "Version": _VERSION,
    }
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in facts.items()))
    return "\n".join(lines)


def _sampler_facts(name: str) -> dict[str, str]:
    """Sampler and schedule type; since version 1.9, A1111 writes the schedule separately.

    A missing schedule means "Automatic", which is Karras for DPM++ 2M and others. So a uniform schedule is written too.
    """
    sampler = find_sampler(name)
    if sampler is None:
        return {"Sampler": name}
    schedule = name.rpartition(" ")[2]
    if schedule in _SCHEDULES:
        return {"Sampler": name.removesuffix(f" {schedule}"), "Schedule type": schedule}
    match sampler.options.get("timestep_spacing"):
        case "trailing":
            return {"Sampler": name.removesuffix(" Trailing"), "Schedule type": "Simple"}
        case "linspace" if sampler.scheduler_class not in _UNSCHEDULED:
            return {"Sampler": name, "Schedule type": "Uniform"}
        case _:
            return {"Sampler": name}


def _key(field: str) -> str:
    return _FACTS[field].file_key


def _optional_facts(request: GenerationRequest) -> dict[str, str]:
    """Optional fields that differ from their default; A1111 has no names for them."""
    facts: dict[str, str] = {}
    for field in msgspec.structs.fields(GenerationRequest):
        value = getattr(request, field.name)
        if not field.required and field.name in _FACTS and _key(field.name) and value != field.default:
            facts[_key(field.name)] = f"{value:g}" if isinstance(value, float) else str(value)
    return facts


def _variation_facts(request: GenerationRequest) -> dict[str, str | int]:
    """Variations; A1111's format has a single one, so several are written under Easel's own name."""
    if not request.variations:
        return {}
    if len(request.variations) == 1:
        (only,) = request.variations
        return {"Variation seed": only.seed, "Variation seed strength": f"{only.strength:g}"}
    return {"Variations": "; ".join(f"{step.seed} {step.strength:g}" for step in request.variations)}


def _init_image_facts(request: GenerationRequest) -> dict[str, str]:
    """Strength of an init image, under A1111's name; an upscaled picture writes that of its second pass there."""
    return {} if request.init_image is None else {"Denoising strength": f"{request.init_image.strength:g}"}


def _inpaint_facts(request: GenerationRequest) -> dict[str, str]:
    """The part of an init image that is drawn anew; only the inverted mask has a name of A1111."""
    inpaint = request.inpaint
    if inpaint is None:
        return {}
    if inpaint.outpaint is not None:
        margins = msgspec.structs.asdict(inpaint.outpaint).items()
        facts = {"Outpaint": " ".join(f"{side} {part:g}" for side, part in margins if part)}
        return facts if inpaint.whole is None else {**facts, "Outpaint size": "{}x{}".format(*inpaint.whole)}
    facts = {"Inpaint": "mask" if not inpaint.cells else " ".join(["cells", *map(str, sorted(inpaint.cells))])}
    if inpaint.grow:
        facts["Mask grow"] = f"{inpaint.grow:g}"
    if inpaint.is_enlarged:
        facts["Inpaint area"] = "Only masked"
    if inpaint.is_inverted:
        facts["Mask mode"] = "Inpaint not masked"
    return facts


def _upscale_facts(request: GenerationRequest) -> dict[str, str | int]:
    """Upscale settings, under A1111's names for its second pass."""
    if request.upscale is None:
        return {}
    facts: dict[str, str | int] = {"Hires upscale": request.upscale.scale, "Hires upscaler": "Lanczos"}
    if request.upscale.strength > 0:
        facts["Denoising strength"] = f"{request.upscale.strength:g}"
        if request.upscale.guidance_scale is not None:
            facts["Hires CFG scale"] = f"{request.upscale.guidance_scale:g}"
    return facts


def _plain(words: str) -> str:
    lines = "\n".join(words.replace("\0", "").splitlines())
    return _RESERVED.sub(r"\1 :", lines)


def _quoted(value: str) -> str:
    """Quote a value that contains separators, as A1111 does."""
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ',:\n"') else value
