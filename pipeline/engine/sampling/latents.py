"""Initial noise of a job, and checks for NaN and infinity."""

import torch
from diffusers.utils.torch_utils import randn_tensor

from pipeline.engine.failures import BrokenImage
from pipeline.protocol.requests import GenerationRequest, seed_of

_LEAST_ANGLE = 1e-6


def generators_for(request: GenerationRequest) -> list[torch.Generator]:
    """One generator for each image.

    The generators are on the CPU, so that a seed gives the same noise on every device. All variations of a picture
    start from the seed of that picture.
    """
    return _generators(request.seed, request.num_images, is_counting=not request.variations)


def first_noise(
    request: GenerationRequest,
    shape: tuple[int, ...],
    generators: list[torch.Generator],
    device: torch.device,
    dtype: torch.dtype,
) -> torch.Tensor:
    """Draw standard normal latents [n, c, h, w] from each image's generator, and apply the request's variations."""
    noise = randn_tensor(shape, generator=generators, device=device, dtype=dtype)
    for number, variation in enumerate(request.variations, start=1):
        is_last = number == len(request.variations)
        others = _generators(variation.seed, request.num_images, is_counting=is_last)
        noise = slerp(noise, randn_tensor(shape, generator=others, device=device, dtype=dtype), variation.strength)
    return noise


def slerp(start: torch.Tensor, end: torch.Tensor, amount: float) -> torch.Tensor:
    """Interpolate spherically between two noises, separately for each image.

    Spherical interpolation (Shoemake, 1985) keeps the length of the noise. Linear interpolation would shorten it, and
    from shorter noise a model draws a flat picture.

    Args:
        start: [n, c, h, w].
        end: [n, c, h, w].
        amount: fraction of the way; 0 gives exactly the bits of `start`, 1 gives `end`.
    """
    if amount == 0:
        return start
    one, other = start.double().flatten(1), end.double().flatten(1)
    cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().clamp(min=_LEAST_ANGLE)[:, None]
    turned = (((1 - amount) * angle).sin() * one + (amount * angle).sin() * other) / angle.sin()
    return turned.view_as(start).to(start.dtype)


def _generators(first_seed: int, num_images: int, *, is_counting: bool) -> list[torch.Generator]:
    seeds = [seed_of(first_seed, k) if is_counting else first_seed for k in range(num_images)]
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def check_finite(numbers: torch.Tensor) -> None:
    """Check that a tensor has only finite numbers.

    Raises:
        BrokenImage: it holds NaN or infinity.
    """
    if not is_finite(numbers):
        raise BrokenImage("The latents left the range of numbers.")


def is_finite(numbers: torch.Tensor) -> bool:
    """True when a tensor holds neither NaN nor infinity."""
    return bool(torch.isfinite(numbers).all())
