"""The price of a job: a pure function of the request and the catalogue, so that it is independent of the load."""

import math
from collections.abc import Sequence
from typing import Final, Literal

from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS

_REFERENCE_PIXELS: Final = 512 * 512

Pricing = Literal["flat", "work"]


def price(request: GenerationRequest, spec: ModelSpec, default: ModelSpec, pricing: Pricing) -> int:
    """Units that a job costs. They are shown before the start and held while the job runs; no charge exceeds them.

    `flat` is one unit for each image. `work` is relative to one image with the default model's defaults and guidance in
    every step. It is rounded up once: ceil((images x (passes x U(P) + D x P) + T) / unit), where P = pixels / 512^2.
    The model's `cost` in the catalogue gives the other values: U(P) = a P + b P^2 for one row of its network, D for its
    decoder and T for its text encoder. They are in TFLOP, as torch's FlopCounterMode counts them. Each evaluation of
    the sampler is a pass of the prompt's row; a sampler may have two evaluations in a step. With guidance above 1, the
    negative prompt adds a row. An upscaled picture's second pass counts like a job with its steps and its size.
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
    # The tiny allowance absorbs rounding of the quotient, so that one default image always costs one unit.
    return max(1, math.ceil(asked / unit - 1e-9))


def part(price: int, *, delivered: int, asked: int) -> int:
    """Units charged if some images of a job were not delivered: the delivered part, rounded up to whole units."""
    return min(price, -(-price * delivered // asked))


def rows(request: GenerationRequest) -> int:
    """Passes of the whole job: images x rows x evaluations. An upscaled pass counts as several of the first size."""
    first, second = _passes(request)
    if request.upscale is not None:
        first += second * request.upscale.scale**2
    return request.num_images * first


def _passes(request: GenerationRequest) -> tuple[int, int]:
    """Rows of one image in the first and in the second pass."""
    first, second = request.num_inference_steps, request.refining_steps
    total = first + second
    guided = [request.guidance_scale > 1 and request.guides(step, total) for step in range(1, total + 1)]
    return _passes_of(request, guided[:first]), _passes_of(request, guided[first:])


def _passes_of(request: GenerationRequest, guided: Sequence[bool]) -> int:
    """Rows of one image in one pass; `guided` says for each step whether guidance is on."""
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
