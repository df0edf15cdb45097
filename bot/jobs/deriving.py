"""New requests from a job that was drawn: another seed, a picture beside one of its pictures, one of them larger."""

from typing import Final

import msgspec

from bot.errors import Refused
from bot.jobs.resolving import choose_seed
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation

SUBTLE: Final = 0.2
STRONG: Final = 0.6
"""Strengths of variations. With the shipped model, pixels move by a quarter and by three quarters of what another
seed moves them."""
UPSCALE: Final = 2


def reroll(request: GenerationRequest) -> GenerationRequest:
    """The same request with another seed; of a variation, another variation of the same picture."""
    if not request.variations:
        return msgspec.structs.replace(request, seed=choose_seed(), upscale=None)
    last = msgspec.structs.replace(request.variations[-1], seed=choose_seed())
    return msgspec.structs.replace(request, variations=(*request.variations[:-1], last), upscale=None)


def vary(request: GenerationRequest, index: int, strength: float) -> GenerationRequest:
    """Pictures beside one of a job's pictures, as many as the job had.

    Raises:
        Refused: it is the end of too many variations.
    """
    if len(request.variations) >= hard.MAX_VARIATIONS:
        raise Refused("refused-varied-too-often", count=hard.MAX_VARIATIONS)
    single = request.single(index)
    step = Variation(seed=choose_seed(), strength=strength)
    return msgspec.structs.replace(
        single, variations=(*single.variations, step), num_images=request.num_images, upscale=None
    )


def upscale(request: GenerationRequest, index: int, spec: ModelSpec, limits: LimitSettings) -> GenerationRequest:
    """Exactly one of a job's pictures, twice as wide and high: drawn anew where the model can, else resampled."""
    width, height = request.width * UPSCALE, request.height * UPSCALE
    is_too_large = width * height > min(spec.bounds.max_refined_pixels, limits.max_pixels)
    is_too_long = max(width, height) > hard.MAX_SIDE
    strength = 0.0 if is_too_large or is_too_long or spec.facts.is_whole else spec.refine_strength
    return msgspec.structs.replace(request.single(index), upscale=Upscale(scale=UPSCALE, strength=strength))
