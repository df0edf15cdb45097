"""The frozen networks as teacher of negative prompts; `learn_color_removal` has the formula."""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from recipes.pocket.networks import make_scheduler
from recipes.pocket.stages import autoencoder
from recipes.pocket.stages.text_encoder import load_text_encoder
from recipes.pocket.stages.training_run import StageOptions
from recipes.pocket.stages.unet import DenoisingExample


class Teacher:
    """The frozen networks of the earlier stages."""

    def __init__(self, options: StageOptions) -> None:
        """Load the networks.

        Args:
            options: its folder has `vae`, `unet` and `text_encoder`.
        """
        self._vae = autoencoder.load(options.folder, options.device)
        self.text_encoder: Any = (
            load_text_encoder(options.folder, options.device).eval().requires_grad_(requires_grad=False)
        )
        self.unet: Any = UNet2DConditionModel.from_pretrained(options.folder / "unet")
        self.unet.to(options.device, memory_format=torch.channels_last).eval().requires_grad_(requires_grad=False)
        self.scheduler: Any = make_scheduler()
        self.scheduler.alphas_cumprod = self.scheduler.alphas_cumprod.to(options.device)

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """Latents [batch, 4, 16, 16] of pictures [batch, 3, 64, 64] in [-1, 1]."""
        return self._vae.encoder(pictures.to(memory_format=torch.channels_last)).float()

    @torch.no_grad()
    def make_example(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        states: tuple[torch.Tensor, ...],
        *,
        scale: float | torch.Tensor,
    ) -> DenoisingExample:
        """Latents in noise, and their target u + scale * (p - q).

        Args:
            latents: latents [batch, 4, 16, 16] of pictures.
            timesteps: timesteps [batch] of the scheduler.
            states: text states [batch, 77, width] for the predictions p, q and u, in this order.
            scale: factor of p - q; a number, or a tensor [batch, 1, 1, 1].
        """
        noisy = self.scheduler.add_noise(latents, torch.randn_like(latents), timesteps)
        predicted = self.unet(noisy.repeat(3, 1, 1, 1), timesteps.repeat(3), torch.cat(states)).sample
        p, q, u = predicted.float().chunk(3)
        return DenoisingExample(noisy=noisy, timesteps=timesteps, target=u + scale * (p - q))
