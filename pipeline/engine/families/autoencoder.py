"""Between pixels and latents: the same for every family, as the VAE's configuration says."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

from pipeline.engine.device.fallbacks import TILE_SIDE, Fallback, fallbacks_for
from pipeline.engine.device.offload import on_processor
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import BrokenImage
from pipeline.engine.sampling.latents import is_finite

log = logging.getLogger(__name__)


class Autoencoder:
    """A VAE with what its latents are shifted and scaled by on their way to the network.

    Args:
        vae: AutoencoderKL or AutoencoderTiny, already on its device.
        placement: where it lives.
    """

    def __init__(self, vae: Any, placement: Placement) -> None:
        self._vae: Any = vae.eval().requires_grad_(False)
        self._placement = placement
        self._twin: Any = None
        if self._needs_full_precision:
            self._vae.to(torch.float32)
        if self._has_tiles:
            # The sizes that come with a VAE are those it was trained at, which are no smaller than most pictures.
            self._vae.tile_sample_min_size = TILE_SIDE
            self._vae.tile_latent_min_size = TILE_SIDE // self.scale_factor
            # diffusers takes AutoencoderTiny's for 8, whatever its stages are.
            self._vae.spatial_scale_factor = self.scale_factor

    @property
    def latent_channels(self) -> int:
        """Channels of its latents."""
        return int(self._vae.config.latent_channels)

    @property
    def scale_factor(self) -> int:
        """Pixels of one latent's side: each stage of the VAE but the first halves it."""
        config = self._vae.config
        if isinstance(self._vae, AutoencoderTiny):
            return 2 ** (len(config.decoder_block_out_channels) - 1)
        return 2 ** (len(config.block_out_channels) - 1)

    def fallbacks(self, height: int, width: int) -> tuple[Fallback, ...]:
        """Fallbacks for a picture of this size in pixels, the best first."""
        is_on_processor = self._placement.device.type == "cpu"
        return fallbacks_for(height, width, has_tiles=self._has_tiles, is_on_processor=is_on_processor)

    @torch.inference_mode()
    def encode(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w]: the middle of what the VAE takes for likely.

        Raises:
            BrokenImage: they hold NaN or infinity.
        """
        latents = self._computed(fallback, lambda vae: _latents(vae, pixels), lambda found: not is_finite(found))
        latents = latents.to(self._placement.device)
        mean, deviation = self._statistics(latents)
        return (latents - mean) / deviation

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32, on the processor if that decodes them.

        Raises:
            BrokenImage: they hold NaN or infinity, or are all of one color though the latents are not: a picture that
                was meant to be black is never the same number everywhere.
        """
        mean, deviation = self._statistics(latents)
        given = latents * deviation + mean
        is_flat = _has_one_color(latents)
        pixels = self._computed(
            fallback,
            lambda vae: _pixels(vae, given),
            lambda found: not is_finite(found) or (not is_flat and _has_one_color(found)),
        )
        return (pixels.float() / 2 + 0.5).clamp(0, 1)

    def _computed(
        self, fallback: Fallback, work: Callable[[Any], torch.Tensor], is_broken: Callable[[torch.Tensor], bool]
    ) -> torch.Tensor:
        """What comes of work with the VAE; once more in float32 where less precision breaks it."""
        if fallback == "cpu":
            if self._twin is None:
                self._twin = on_processor(self._vae)
            found = work(self._twin)
        else:
            found = self._on_device(fallback, work)
            if is_broken(found) and self._vae.dtype in (torch.float16, torch.bfloat16):
                log.warning("The VAE left the range of %s and runs in float32 from now on.", self._vae.dtype)
                # Another thread may draw a preview with it: that one is left out.
                self._vae.to(torch.float32)
                found = self._on_device(fallback, work)
        if is_broken(found):
            raise BrokenImage("The VAE left the range of numbers.")
        return found

    def _on_device(self, fallback: Fallback, work: Callable[[Any], torch.Tensor]) -> torch.Tensor:
        if not self._has_tiles:
            return work(self._vae)
        self._vae.use_tiling = fallback == "tiled"
        try:
            return work(self._vae)
        finally:
            self._vae.use_tiling = False

    def _statistics(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation of the VAE's own latents, [1, c or 1, 1, 1] each: the network sees them as 0 and 1."""
        config = self._vae.config
        scaling: float = config.scaling_factor
        means: Sequence[float] | None = getattr(config, "latents_mean", None)
        deviations: Sequence[float] | None = getattr(config, "latents_std", None)
        if means is None or deviations is None:
            # Stable Diffusion 3's latents are not centred; others have no shift, or none written down.
            means, deviations = [getattr(config, "shift_factor", None) or 0.0], [1.0]
        mean, deviation = (like.new_tensor(row).view(1, -1, 1, 1) for row in (means, deviations))
        return mean, deviation / scaling

    @property
    def _has_tiles(self) -> bool:
        return hasattr(self._vae, "use_tiling")

    @property
    def _needs_full_precision(self) -> bool:
        # Stable Diffusion's own VAE leaves float16's range on some pictures and says so in its configuration.
        return self._placement.dtype is torch.float16 and bool(getattr(self._vae.config, "force_upcast", False))


def _latents(vae: Any, pixels: torch.Tensor) -> torch.Tensor:
    answer: Any = vae.encode(pixels.to(vae.device, vae.dtype) * 2 - 1)
    return answer.latents if isinstance(vae, AutoencoderTiny) else answer.latent_dist.mode()


def _pixels(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    return vae.decode(latents.to(vae.device, vae.dtype), return_dict=False)[0]


def _has_one_color(image: torch.Tensor) -> bool:
    """Every channel of [n, c, h, w] is the same number everywhere."""
    return bool((image == image[:, :, :1, :1]).all())
