"""The networks as their own teacher of what a negative prompt has to take away; `negatives` has the formula."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from training import autoencoder, text, unet
from training.models import make_scheduler
from training.running import Place


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Noisy latents [batch, 4, 16, 16], their times [batch], and what is to be foreseen, as the latents."""

    noisy: torch.Tensor
    timesteps: torch.Tensor
    wanted: torch.Tensor


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
        self._scheduler: Any = make_scheduler()
        self._scheduler.alphas_cumprod = self._scheduler.alphas_cumprod.to(place.device)

    @torch.no_grad()
    def lesson(
        self, pictures: torch.Tensor, states: tuple[torch.Tensor, ...], *, firmness: float, first: int = 0
    ) -> Lesson:
        """Pictures in noise, and u + firmness * (p - q) for them.

        Args:
            pictures: [batch, 3, 64, 64] in [-1, 1].
            states: of the captions that p, q and u are foreseen from, [batch, 77, width] each.
            firmness: how much of p - q.
            first: the first time of the scheduler's.
        """
        latents = self._vae.encoder(pictures.to(memory_format=torch.channels_last)).float()
        timesteps = unet.spread_times(self._scheduler, latents, first=first)
        noisy = self._scheduler.add_noise(latents, torch.randn_like(latents), timesteps)
        known = self.network(noisy.repeat(3, 1, 1, 1), timesteps.repeat(3), torch.cat(states)).sample
        p, q, u = known.float().chunk(3)
        return Lesson(noisy=noisy, timesteps=timesteps, wanted=u + firmness * (p - q))
