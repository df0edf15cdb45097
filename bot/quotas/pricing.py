"""What a job costs: a pure function of the request and the catalogue, so that it never moves with the load."""

import math
from collections.abc import Sequence
from typing import Final, Literal

from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS

_REFERENCE_PIXELS: Final = 512 * 512

Pricing = Literal["flat", "work"]


def price(request: GenerationRequest, spec: ModelSpec, default: ModelSpec, pricing: Pricing) -> int:
    """Units that a job costs; told before, held while it runs, and never exceeded when it is settled.

    `flat` is one an image. `work` compares with one image of the default model's defaults, guided in every step, and
    rounds up once: ceil((images x (passes x U(P) + D x P) + T) / unit), with the catalogue's `cost` of the model:
    U(P) = a P + b P^2 for one row of its network, D for its decoder and T for its text encoder, in TFLOP as
    counted with torch's FlopCounterMode, and P = pixels / 512^2. Each evaluation of the sampler, which may have two a
    step, is a pass of the prompt's row; where guidance above 1 is on, the negative prompt has one too. The second pass
    of an upscaled picture is counted like a job of its steps at its size.
    """
    if pricing == "flat":
        return request.num_images
    usual = default.defaults
    sampler = SAMPLERS[usual.sampler]
    passes = _rows(usual.cfg) * sampler.evaluations(usual.steps)
    unit = _work(default, images=1, passes=passes, pixels=usual.width * usual.height)
    pixels = request.width * request.height
    first, second = _passes(request)
    asked = _work(spec, images=request.num_images, passes=first, pixels=pixels)
    if second and request.upscale is not None:
        asked += _work(spec, images=request.num_images, passes=second, pixels=pixels * request.upscale.scale**2)
    # The tiny allowance keeps one default image at one unit whatever the rounding of the quotient.
    return max(1, math.ceil(asked / unit - 1e-9))


def part(price: int, *, delivered: int, asked: int) -> int:
    """What is charged where some images of a job were not delivered: their part, rounded up to whole units."""
    return min(price, -(-price * delivered // asked))


def rows(request: GenerationRequest) -> int:
    """Passes through the network for the whole job: images x rows x evaluations, in those of the first size."""
    first, second = _passes(request)
    if request.upscale is not None:
        first += second * request.upscale.scale**2
    return request.num_images * first


def _passes(request: GenerationRequest) -> tuple[int, int]:
    """Rows of one image that go through the network, in the first pass and in the second."""
    first, second = request.num_inference_steps, request.refining_steps
    total = first + second
    guided = [request.guidance_scale > 1 and request.guides(step, total) for step in range(1, total + 1)]
    return _passes_of(request, guided[:first]), _passes_of(request, guided[first:])


def _passes_of(request: GenerationRequest, guided: Sequence[bool]) -> int:
    """Rows of one image in the steps of one pass, each guided or not."""
    if not guided:
        return 0
    sampler = SAMPLERS[request.scheduler_name]
    in_last = sampler.evaluations(len(guided)) - sampler.evaluations_per_step * (len(guided) - 1)
    before = sum(2 if is_guided else 1 for is_guided in guided[:-1])
    return sampler.evaluations_per_step * before + in_last * (2 if guided[-1] else 1)


def _rows(guidance_scale: float) -> int:
    return 1 if guidance_scale <= 1 else 2


def _work(spec: ModelSpec, *, images: int, passes: int, pixels: int) -> float:
    """TFLOP of a job."""
    cost = spec.cost
    p = pixels / _REFERENCE_PIXELS
    row = cost.row_linear * p + cost.row_quadratic * p * p
    return images * (passes * row + cost.decode * p) + cost.text
