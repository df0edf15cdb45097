"""First noise, and a cheap look at latents that are not finished."""

import io

import torch
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from pipeline.engine.failures import BrokenImage
from pipeline.engine.families.base import StepAdapter
from pipeline.protocol.requests import GenerationRequest, seed_of

PREVIEW_SIDE = 512
"""Pixels of a preview's longer side."""

_COARSE_SIDE = 12
"""Pixels of an image that nobody has checked yet: of a face, one sees where it is."""
_LEAST_ANGLE = 1e-6
_FIT_SAMPLES = 96
_FIT_SIDE = 4


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
    if not bool(torch.isfinite(numbers).all()):
        raise BrokenImage("The latents left the range of numbers.")


class PreviewMap:
    """A linear map from one latent to one color, fitted to a VAE.

    Flat latents are decoded once and the colors in the middle of the pictures are explained by least squares:
    no constants that hold for one VAE alone, and no decoding while a job runs.
    """

    def __init__(self, adapter: StepAdapter, device: torch.device, dtype: torch.dtype) -> None:
        channels = adapter.latent_channels
        generator = torch.Generator("cpu").manual_seed(0)
        flat = torch.randn((_FIT_SAMPLES, channels), generator=generator, dtype=torch.float32)
        plane = flat[:, :, None, None].expand(-1, -1, _FIT_SIDE, _FIT_SIDE).to(device, dtype)
        edge = adapter.scale_factor * _FIT_SIDE // 4
        colors = [adapter.decode(part)[:, :, edge:-edge, edge:-edge].mean((2, 3)) for part in plane.split(16)]
        known = torch.cat([flat, torch.ones(_FIT_SAMPLES, 1)], dim=1)
        self._weights = torch.linalg.lstsq(known, torch.cat(colors).cpu()).solution  # [c + 1, 3]

    def draw(self, latents: torch.Tensor, *, is_coarse: bool = False) -> bytes:
        """Latents [n, c, h, w] as one WebP picture, all images side by side.

        Args:
            latents: of every image of a job.
            is_coarse: show colors and masses alone, since nobody knows yet whether the picture may be seen.

        Raises:
            BrokenImage: the latents hold NaN or infinity.
        """
        check_finite(latents)
        row = torch.cat(list(latents.float().cpu()), dim=2)  # [c, h, n * w]
        colors = torch.einsum("chw,ck->hwk", row, self._weights[:-1]) + self._weights[-1]
        pixels = (colors.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        picture = Image.fromarray(pixels)
        if is_coarse:
            picture.thumbnail((_COARSE_SIDE * len(latents), _COARSE_SIDE), Image.Resampling.BOX)
        scale = PREVIEW_SIDE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        data = io.BytesIO()
        picture.resize(size, Image.Resampling.BICUBIC).save(data, "WEBP", quality=75, method=0)
        return data.getvalue()
