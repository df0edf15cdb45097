"""First noise, and whether latents are still numbers."""

import torch
from diffusers.utils.torch_utils import randn_tensor

from pipeline.engine.failures import BrokenImage
from pipeline.protocol.requests import GenerationRequest, seed_of

_LEAST_ANGLE = 1e-6


def generators_for(request: GenerationRequest) -> list[torch.Generator]:
    """One generator an image, on the CPU: the same picture on every device. A varied picture keeps its own."""
    return _generators(request.seed, request.num_images, is_counting=not request.variations)


def first_noise(
    request: GenerationRequest,
    shape: tuple[int, int, int, int],
    generators: list[torch.Generator],
    device: torch.device,
    dtype: torch.dtype,
) -> torch.Tensor:
    """Standard normal latents [n, c, h, w], each image from its own generator and then varied as it is asked."""
    noise = randn_tensor(shape, generator=generators, device=device, dtype=dtype)
    for number, variation in enumerate(request.variations, start=1):
        is_last = number == len(request.variations)
        others = _generators(variation.seed, request.num_images, is_counting=is_last)
        noise = slerp(noise, randn_tensor(shape, generator=others, device=device, dtype=dtype), variation.strength)
    return noise


def slerp(start: torch.Tensor, end: torch.Tensor, amount: float) -> torch.Tensor:
    """From one noise towards another on the sphere that noise lies on, each image for itself.

    Spherical interpolation (Shoemake, 1985) keeps the length of the noise, which a straight line would shorten,
    and a model takes short noise for a flat picture.

    Args:
        start: [n, c, h, w].
        end: [n, c, h, w].
        amount: 0 gives `start` bit by bit, 1 gives `end`.
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
    """See that these are numbers.

    Raises:
        BrokenImage: there is NaN or infinity among them.
    """
    if not is_finite(numbers):
        raise BrokenImage("The latents left the range of numbers.")


def is_finite(numbers: torch.Tensor) -> bool:
    """Neither NaN nor infinity is among them."""
    return bool(torch.isfinite(numbers).all())
