"""Between pixels and latents: the same for every family, as the VAE's configuration says."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

from pipeline.engine.devices import Placement


class Autoencoder:
    """A VAE with what its latents are shifted and scaled by on their way to the network.

    Args:
        vae: AutoencoderKL or AutoencoderTiny, already on its device.
        placement: where it lives.
    """

    def __init__(self, vae: Any, placement: Placement) -> None:
        self._vae: Any = vae.eval().requires_grad_(False)
        self._placement = placement
        if self._needs_full_precision:
            self._vae.to(torch.float32)

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

    @torch.inference_mode()
    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w]: the middle of what the VAE takes for likely."""
        answer: Any = self._vae.encode(pixels.to(self._placement.device, self._vae.dtype) * 2 - 1)
        latents: torch.Tensor = answer.latents if isinstance(self._vae, AutoencoderTiny) else answer.latent_dist.mode()
        mean, deviation = self._statistics(latents)
        return (latents - mean) / deviation

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32; NaN stays NaN."""
        mean, deviation = self._statistics(latents)
        pixels: torch.Tensor = self._vae.decode((latents * deviation + mean).to(self._vae.dtype), return_dict=False)[0]
        return (pixels.float() / 2 + 0.5).clamp(0, 1)

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
    def _needs_full_precision(self) -> bool:
        # Stable Diffusion's own VAE leaves float16's range on some pictures and says so in its configuration.
        return self._placement.dtype is torch.float16 and bool(getattr(self._vae.config, "force_upcast", False))
