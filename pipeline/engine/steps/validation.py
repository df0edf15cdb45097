"""Checks a request against the protocol's limits; the bot has already checked it against the catalogue."""

from pipeline.engine.failures import InvalidRequest
from pipeline.protocol import limits
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import find_sampler


def check_request(request: GenerationRequest) -> None:
    """Check that every field is within the protocol's limits.

    Raises:
        InvalidRequest: a field is outside; the message names the first one.
    """
    sampler = find_sampler(request.scheduler_name)
    if sampler is None:
        raise InvalidRequest(f"There is no sampler {request.scheduler_name!r}.")
    _check_range("num_inference_steps", request.num_inference_steps, limits.MIN_STEPS, sampler.max_steps)
    _check_range("guidance_scale", request.guidance_scale, limits.MIN_GUIDANCE_SCALE, limits.MAX_GUIDANCE_SCALE)
    for name in ("guidance_start", "guidance_end", "guidance_rescale"):
        _check_range(name, getattr(request, name), 0.0, 1.0)
    if request.guidance_start >= request.guidance_end:
        raise InvalidRequest(f"Guidance cannot end at {request.guidance_end} and begin at {request.guidance_start}.")
    _check_range("num_images", request.num_images, limits.MIN_IMAGES, limits.MAX_IMAGES)
    _check_range("seed", request.seed, limits.MIN_SEED, limits.MAX_SEED)
    _check_range("width", request.width, limits.MIN_SIDE, limits.MAX_SIDE)
    _check_range("height", request.height, limits.MIN_SIDE, limits.MAX_SIDE)
    check_multiple(request, limits.SIZE_MULTIPLE)
    _check_range("number of variations", len(request.variations), 0, limits.MAX_VARIATIONS)
    for variation in request.variations:
        _check_range("seed of a variation", variation.seed, limits.MIN_SEED, limits.MAX_SEED)
        _check_range("strength of a variation", variation.strength, 0.0, 1.0)
    if request.upscale is not None:
        _check_range("scale", request.upscale.scale, 1, limits.MAX_SCALE)
        _check_range("strength of the upscale", request.upscale.strength, 0.0, 1.0)
    for text in (request.prompt, request.negative_prompt):
        _check_range("length of the text", len(text), 0, limits.MAX_PROMPT_LENGTH)


def check_multiple(request: GenerationRequest, multiple: int) -> None:
    """Check that width and height are multiples of `multiple` pixels.

    Raises:
        InvalidRequest: one of them is not.
    """
    if request.width % multiple or request.height % multiple:
        raise InvalidRequest(f"{request.width} x {request.height} is no multiple of {multiple} pixels.")


def _check_range(name: str, value: float, lowest: float, highest: float) -> None:
    # The condition is negated so that NaN fails too.
    if not lowest <= value <= highest:
        raise InvalidRequest(f"The {name} is {value}, outside {lowest} to {highest}.")
