"""What a job costs: a pure function of the request and the catalogue, so that it never moves with the load."""

import math
from typing import Final, Literal

from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS

_REFERENCE_PIXELS: Final = 512 * 512

Pricing = Literal["flat", "work"]


def price(request: GenerationRequest, spec: ModelSpec, default: ModelSpec, pricing: Pricing) -> int:
    """Units that a job costs; told before, held while it runs, and never exceeded when it is settled.

    `flat` is one an image. `work` compares with one image of the default model's defaults, rounded up once:
    ceil((images x (rows x evaluations x U(P) + D x P) + T) / unit), with the catalogue's `cost` of the model:
    U(P) = a P + b P^2 for one row of its network, D for its decoder and T for its text encoder, in TFLOP as
    counted with torch's FlopCounterMode, and P = pixels / 512^2. A row is the prompt's; with guidance above 1
    the negative prompt has one too. Evaluations are those of the sampler, which may be two a step. The second pass of
    an upscaled picture is counted like a job of its steps at its size.
    """
    if pricing == "flat":
        return request.num_images
    defaults = default.defaults
    unit = _work(
        default,
        images=1,
        steps=defaults.steps,
        guidance_scale=defaults.cfg,
        pixels=defaults.width * defaults.height,
        scheduler_name=defaults.sampler,
    )
    asked = _work(
        spec,
        images=request.num_images,
        steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        pixels=request.width * request.height,
        scheduler_name=request.scheduler_name,
    )
    if request.refining_steps and request.upscale is not None:
        asked += _work(
            spec,
            images=request.num_images,
            steps=request.refining_steps,
            guidance_scale=request.guidance_scale,
            pixels=request.width * request.height * request.upscale.scale**2,
            scheduler_name=request.scheduler_name,
        )
    # The tiny allowance keeps one default image at one unit whatever the rounding of the quotient.
    return max(1, math.ceil(asked / unit - 1e-9))


def part(price: int, *, delivered: int, asked: int) -> int:
    """What is charged where some images of a job were not delivered: their part, rounded up to whole units."""
    return min(price, -(-price * delivered // asked))


def rows(request: GenerationRequest) -> int:
    """Passes through the network for the whole job: images x rows x evaluations, in those of the first size."""
    sampler = SAMPLERS[request.scheduler_name]
    evaluations = sampler.evaluations(request.num_inference_steps)
    if request.refining_steps and request.upscale is not None:
        evaluations += sampler.evaluations(request.refining_steps) * request.upscale.scale**2
    return request.num_images * _rows(request.guidance_scale) * evaluations


def _rows(guidance_scale: float) -> int:
    return 1 if guidance_scale <= 1 else 2


def _work(
    spec: ModelSpec, *, images: int, steps: int, guidance_scale: float, pixels: int, scheduler_name: str
) -> float:
    """TFLOP of a job."""
    cost = spec.cost
    p = pixels / _REFERENCE_PIXELS
    evaluations = SAMPLERS[scheduler_name].evaluations(steps)
    row = cost.row_linear * p + cost.row_quadratic * p * p
    return images * (_rows(guidance_scale) * evaluations * row + cost.decode * p) + cost.text
