"""The networks as their own teacher of what a negative prompt has to take away; `negatives` has the formula."""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from recipes.pocket.models import make_scheduler
from recipes.pocket.stages import autoencoder, text
from recipes.pocket.stages.running import Place
from recipes.pocket.stages.unet import Lesson


class Teacher:
    """The networks as earlier stages left them; none of them learns."""

    def __init__(self, place: Place) -> None:
        """Load them.

        Args:
            place: its folder holds `vae`, `unet` and `text_encoder`.
        """
        self._vae = autoencoder.load(place.folder, place.device)
        self.words: Any = text.load(place.folder, place.device).eval().requires_grad_(requires_grad=False)
        self.network: Any = UNet2DConditionModel.from_pretrained(place.folder / "unet")
        self.network.to(place.device, memory_format=torch.channels_last).eval().requires_grad_(requires_grad=False)
        self.scheduler: Any = make_scheduler()
        self.scheduler.alphas_cumprod = self.scheduler.alphas_cumprod.to(place.device)

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """Latents [batch, 4, 16, 16] of pictures [batch, 3, 64, 64] in [-1, 1]."""
        return self._vae.encoder(pictures.to(memory_format=torch.channels_last)).float()

    @torch.no_grad()
    def lesson(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        states: tuple[torch.Tensor, ...],
        *,
        firmness: float | torch.Tensor,
    ) -> Lesson:
        """Latents in noise, and u + firmness * (p - q) for them.

        Args:
            latents: see `latents`.
            timesteps: of the scheduler, [batch].
            states: of the captions that p, q and u are foreseen from, [batch, 77, width] each.
            firmness: how much of p - q, the same for all or [batch, 1, 1, 1].
        """
        noisy = self.scheduler.add_noise(latents, torch.randn_like(latents), timesteps)
        known = self.network(noisy.repeat(3, 1, 1, 1), timesteps.repeat(3), torch.cat(states)).sample
        p, q, u = known.float().chunk(3)
        return Lesson(noisy=noisy, timesteps=timesteps, wanted=u + firmness * (p - q))
