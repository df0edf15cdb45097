"""Previews of unfinished pictures: a fast linear map for the first one, a small decoder for later ones."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from PIL import Image
from torch import nn
from torch.nn.functional import interpolate

from pipeline.engine.sampling.latents import check_finite
from pipeline.images.encode import to_picture

PREVIEW_SIDE: Final = 512
"""Longer side of a preview in pixels."""

_COARSE_SIDE: Final = 12
"""Side in pixels of a preview whose picture awaits the safety check: it shows the place of a face, but no features."""
_FIT_SAMPLES: Final = 96
_FIT_SIDE: Final = 4


class Decodes(Protocol):
    """Object that decodes latents to pixels: a step adapter or a VAE."""

    @property
    def latent_channels(self) -> int:
        """Number of latent channels."""
        ...

    @property
    def scale_factor(self) -> int:
        """Pixels per latent along one side."""
        ...

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1."""
        ...


class PreviewMap:
    """Linear map from one latent to one color, fitted to a VAE.

    The fit decodes flat latents once and solves for the middle colors of the pictures by least squares. So the map
    needs no constants for particular VAEs, and no decoding while a job runs.
    """

    def __init__(self, decoder: Decodes, device: torch.device, dtype: torch.dtype) -> None:
        channels = decoder.latent_channels
        generator = torch.Generator("cpu").manual_seed(0)
        flat = torch.randn((_FIT_SAMPLES, channels), generator=generator, dtype=torch.float32)
        plane = flat[:, :, None, None].expand(-1, -1, _FIT_SIDE, _FIT_SIDE).to(device, dtype)
        edge = decoder.scale_factor * _FIT_SIDE // 4
        colors = [decoder.decode(part)[:, :, edge:-edge, edge:-edge].mean((2, 3)) for part in plane.split(16)]
        known = torch.cat([flat, torch.ones(_FIT_SAMPLES, 1)], dim=1)
        self._weights = torch.linalg.lstsq(known, torch.cat(colors).cpu()).solution  # [c + 1, 3]

    @property
    def channels(self) -> int:
        """Number of latent channels that the map was fitted to."""
        return len(self._weights) - 1

    def draw(self, latents: torch.Tensor, *, is_coarse: bool = False) -> bytes:
        """Draw latents [n, c, h, w] as one WebP picture with all images side by side.

        Args:
            latents: latents of all images of a job.
            is_coarse: True for a preview without details, because nobody checked the picture yet.

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
        return as_preview(picture)


def as_coarse_preview(picture: Image.Image) -> bytes:
    """A preview of one picture that shows no details."""
    small = picture.copy()
    small.thumbnail((_COARSE_SIDE, _COARSE_SIDE), Image.Resampling.BOX)
    return as_preview(small)


class PreviewDecoder:
    """Decoder that is small enough to run for each preview.

    Args:
        decoder: made for the model's latents; diffusers' AutoencoderTiny takes the U-Net's latents unscaled.
    """

    def __init__(self, decoder: AutoencoderTiny) -> None:
        self._decoder: Any = decoder

    @property
    def module(self) -> nn.Module:
        """Module with the weights."""
        return self._decoder

    @torch.inference_mode()
    def draw(self, latents: torch.Tensor) -> bytes:
        """Draw latents like `PreviewMap.draw`, but with details.

        Raises:
            BrokenImage: the latents hold NaN or infinity.
        """
        check_finite(latents)
        scaled = (latents / self._decoder.config.scaling_factor).to(self._decoder.dtype)
        parts: list[torch.Tensor] = []
        for one in scaled.split(1):
            pixels: torch.Tensor = self._decoder.decode(one, return_dict=False)[0].float() / 2 + 0.5
            scale = min(1.0, PREVIEW_SIDE / (max(pixels.shape[2], pixels.shape[3] * len(scaled))))
            parts.append(interpolate(pixels, scale_factor=scale, mode="area"))
        return as_preview(to_picture(torch.cat(parts, dim=3)[0]))


@dataclass(slots=True)
class PreviewTurn:
    """Timing of a job's previews; one preview at a time is drawn, so that they never queue up.

    Attributes:
        due_at: time of the next preview, in monotonic seconds.
        is_first: True until the first preview is started.
        is_under_way: True while a preview is being drawn.
        was_drawn: True after the first preview is drawn or has failed.
    """

    due_at: float
    is_first: bool = True
    is_under_way: bool = False
    was_drawn: bool = False

    @property
    def is_first_awaited(self) -> bool:
        """True while the first preview is being drawn."""
        return self.is_under_way and not self.was_drawn

    def end(self) -> None:
        """Record that the preview is drawn or has failed."""
        self.is_under_way, self.was_drawn = False, True

    def begin(self, interval_s: float) -> bool:
        """True when a preview should be drawn now; the next one is then due after the interval. 0 draws none."""
        now = time.monotonic()
        if interval_s <= 0 or now < self.due_at or self.is_under_way:
            return False
        self.due_at = now + interval_s
        self.is_under_way = True
        return True

    def choose(
        self, preview: PreviewMap, decoder: PreviewDecoder | None, *, is_coarse: bool
    ) -> Callable[[torch.Tensor], bytes]:
        """Choose how to draw: the fast map for the first preview, the decoder, if there is one, for later ones."""
        is_plain = self.is_first or is_coarse or decoder is None
        self.is_first = False
        if is_plain or decoder is None:
            return partial(preview.draw, is_coarse=is_coarse)
        return decoder.draw


def images_in(data: bytes, count: int) -> list[Image.Image]:
    """The images of a preview that shows `count` of them side by side."""
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as row:
        width = row.width // count
        return [row.crop((width * index, 0, width * (index + 1), row.height)).convert("RGB") for index in range(count)]


def as_preview(picture: Image.Image) -> bytes:
    """A WebP file of a picture, whose longer side gets `PREVIEW_SIDE`."""
    scale = PREVIEW_SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    data = io.BytesIO()
    picture.resize(size, Image.Resampling.BICUBIC).save(data, "WEBP", quality=75, method=0)
    return data.getvalue()
