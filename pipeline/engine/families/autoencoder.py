"""Converts between pixels and latents; the VAE's configuration covers the differences between families."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.utils.torch_utils import randn_tensor

from pipeline.engine.device.acceleration import Forward, part_runner
from pipeline.engine.device.fallbacks import TILE_SIDE, Fallback, fallbacks_for
from pipeline.engine.device.offload import on_processor
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import BrokenImage
from pipeline.engine.sampling.latents import is_finite

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True, eq=False)
class Posterior:
    """Normal distribution of a picture's latents; the VAE gives it for one picture.

    Attributes:
        mean: [1, c, h, w].
        deviation: standard deviations, [1, c, h, w]; None for a VAE that gives one answer only (AutoencoderTiny).
    """

    mean: torch.Tensor
    deviation: torch.Tensor | None

    def sample(self, generators: list[torch.Generator], dtype: torch.dtype) -> torch.Tensor:
        """Draw latents [images, c, h, w] in this precision, each from its image's generator.

        The noise has the latents' precision and not the VAE's. So a VAE that changes its precision, or runs on the
        processor, draws the same noise.
        """
        mean = self.mean.to(dtype)
        if self.deviation is None:
            return mean.repeat(len(generators), 1, 1, 1)
        shape = (len(generators), *mean.shape[1:])
        noise = randn_tensor(shape, generator=generators, device=mean.device, dtype=dtype)
        return mean + self.deviation.to(dtype) * noise


class _Work:
    """One way through a VAE, with pictures or latents [n, c, h, w] as its input.

    Args:
        vae: the VAE on its device.
        plain: computes it with a VAE, in torch.
        placement: device, precision and accelerator.
    """

    def __init__(self, vae: Any, plain: Callable[[Any, torch.Tensor], torch.Tensor], placement: Placement) -> None:
        self.plain = plain
        self._one: Forward = part_runner(vae, lambda inputs: plain(vae, inputs["given"]), placement)
        self._vae = vae

    def __call__(self, given: torch.Tensor) -> torch.Tensor:
        """Compute it in one piece. Finished and given pictures come one at a time; only those may be accelerated."""
        return self._one({"given": given}) if len(given) == 1 else self.plain(self._vae, given)


class Autoencoder:
    """A VAE together with the shift and scale between its latents and the network's.

    Args:
        vae: AutoencoderKL or AutoencoderTiny, already on its device.
        placement: device and precision.
    """

    patch: ClassVar[int] = 1
    """Side in the VAE's latents of one latent of the network."""

    def __init__(self, vae: Any, placement: Placement) -> None:
        self._vae: Any = vae.eval().requires_grad_(False)
        self._placement = placement
        self._twin: Any = None
        if self._needs_full_precision:
            self._vae.to(torch.float32)
        if self._has_tiles:
            # A VAE's default tile size is its training size. Most pictures are no larger, so tiles would save nothing.
            self._vae.tile_sample_min_size = TILE_SIDE
            self._vae.tile_latent_min_size = TILE_SIDE // self._vae_scale
            # diffusers assumes the factor 8 for every AutoencoderTiny, regardless of its stages.
            self._vae.spatial_scale_factor = self._vae_scale
        self._encoding = _Work(self._vae, self._latents, placement)
        self._distributing = _Work(self._vae, self._moments, placement)
        self._decoding = _Work(self._vae, self._pixels, placement)

    @property
    def latent_channels(self) -> int:
        """Number of latent channels."""
        return int(self._vae.config.latent_channels) * self.patch**2

    @property
    def scale_factor(self) -> int:
        """Pixels per latent along one side."""
        return self._vae_scale * self.patch

    def fallbacks(self, height: int, width: int) -> tuple[Fallback, ...]:
        """Fallbacks for a picture of this size in pixels, best first."""
        is_on_processor = self._placement.device.type == "cpu"
        return fallbacks_for(height, width, has_tiles=self._has_tiles, is_on_processor=is_on_processor)

    @torch.inference_mode()
    def encode(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Encode pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w]: the mode of the VAE's distribution.

        Raises:
            BrokenImage: the latents hold NaN or infinity.
        """
        latents = self._computed(fallback, self._encoding, pixels, lambda found: not is_finite(found))
        latents = latents.to(self._placement.device)
        mean, deviation = self._statistics(latents)
        return (latents - mean) / deviation

    @torch.inference_mode()
    def posterior(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> Posterior:
        """Encode the pixels of one picture, [1, 3, H, W] from 0 to 1 in float32, to the distribution of its latents.

        Raises:
            BrokenImage: mean or deviation hold NaN or infinity.
        """
        moments = self._computed(fallback, self._distributing, pixels, lambda found: not is_finite(found))
        mean, *deviations = moments.to(self._placement.device, self._placement.latents_dtype).split(1)
        shift, scale = self._statistics(mean)
        return Posterior((mean - shift) / scale, deviations[0] / scale if deviations else None)

    def unscaled(self, latents: torch.Tensor) -> torch.Tensor:
        """The network's latents [n, c, h, w] with the VAE's scale and shift, as the VAE itself gives and takes them."""
        mean, deviation = self._statistics(latents)
        return latents * deviation + mean

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Decode latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32, on the device that decoded them.

        Raises:
            BrokenImage: the pixels hold NaN or infinity, or have one single color although the latents vary. Even an
                intended black picture does not have exactly the same number everywhere.
        """
        given = self.unscaled(latents)
        is_flat = _has_one_color(latents)
        pixels = self._computed(
            fallback,
            self._decoding,
            given,
            lambda found: not is_finite(found) or (not is_flat and _has_one_color(found)),
        )
        return (pixels.float() / 2 + 0.5).clamp(0, 1)

    def _computed(
        self, fallback: Fallback, work: _Work, given: torch.Tensor, is_broken: Callable[[torch.Tensor], bool]
    ) -> torch.Tensor:
        """Result of `work` with the VAE; it is repeated in float32 when a lower precision breaks the result."""
        if fallback == "cpu":
            if self._twin is None:
                self._twin = on_processor(self._vae)
            found = work.plain(self._twin, given)
        else:
            found = self._on_device(fallback, work, given)
            if is_broken(found) and self._vae.dtype in (torch.float16, torch.bfloat16):
                log.warning("The VAE left the range of %s and runs in float32 from now on.", self._vae.dtype)
                # Another thread may draw a preview with this VAE meanwhile. That preview fails and is skipped.
                self._vae.to(torch.float32)
                found = self._on_device(fallback, work, given)
        if is_broken(found):
            raise BrokenImage("The VAE left the range of numbers.")
        return found

    def _on_device(self, fallback: Fallback, work: _Work, given: torch.Tensor) -> torch.Tensor:
        if fallback != "tiled":
            return work(given)
        self._vae.use_tiling = True
        try:
            return work.plain(self._vae, given)
        finally:
            self._vae.use_tiling = False

    def _statistics(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the VAE's latents, [1, c or 1, 1, 1] each; the network sees 0 and 1."""
        config = self._vae.config
        scaling: float = config.scaling_factor
        means: Sequence[float] | None = getattr(config, "latents_mean", None)
        deviations: Sequence[float] | None = getattr(config, "latents_std", None)
        if means is None or deviations is None:
            # Stable Diffusion 3's latents are not centred. Configurations of other models name no shift.
            means, deviations = [getattr(config, "shift_factor", None) or 0.0], [1.0]
        mean, deviation = (like.new_tensor(row).view(1, -1, 1, 1) for row in (means, deviations))
        return mean, deviation / scaling

    def _latents(self, vae: Any, pixels: torch.Tensor) -> torch.Tensor:
        answer: Any = vae.encode(pixels.to(vae.device, vae.dtype) * 2 - 1)
        return answer.latents if isinstance(vae, AutoencoderTiny) else answer.latent_dist.mode()

    def _moments(self, vae: Any, pixels: torch.Tensor) -> torch.Tensor:
        """Mean [and standard deviation] of one picture's latents, [1 or 2, c, h, w]."""
        # As in diffusers' image processor, pixels become numbers from -1 to 1 before they get the VAE's precision.
        answer: Any = vae.encode((pixels * 2 - 1).to(vae.device, vae.dtype))
        if isinstance(vae, AutoencoderTiny):
            return answer.latents
        return torch.cat([answer.latent_dist.mean, answer.latent_dist.std])

    def _pixels(self, vae: Any, latents: torch.Tensor) -> torch.Tensor:
        return vae.decode(latents.to(vae.device, vae.dtype), return_dict=False)[0]

    @property
    def _vae_scale(self) -> int:
        """Pixels per latent of the VAE along one side; each stage of it after the first halves the size."""
        config = self._vae.config
        if isinstance(self._vae, AutoencoderTiny):
            return 2 ** (len(config.decoder_block_out_channels) - 1)
        return 2 ** (len(config.block_out_channels) - 1)

    @property
    def _has_tiles(self) -> bool:
        return hasattr(self._vae, "use_tiling")

    @property
    def _needs_full_precision(self) -> bool:
        # Some VAEs overflow float16 on some pictures. `force_upcast` in the configuration marks them.
        return self._placement.dtype is torch.float16 and bool(getattr(self._vae.config, "force_upcast", False))


class PatchAutoencoder(Autoencoder):
    """The VAE of FLUX.2: one latent of the network is a patch of the VAE's latents, with statistics of patches.

    As in diffusers, a picture has one answer: the mode of the distribution.
    """

    patch = 2

    def _latents(self, vae: Any, pixels: torch.Tensor) -> torch.Tensor:
        return in_patches(super()._latents(vae, pixels), self.patch)

    def _moments(self, vae: Any, pixels: torch.Tensor) -> torch.Tensor:
        return self._latents(vae, pixels)

    def _pixels(self, vae: Any, latents: torch.Tensor) -> torch.Tensor:
        return super()._pixels(vae, of_patches(latents, self.patch))

    def _statistics(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        norm: Any = self._vae.bn
        deviation = (norm.running_var.to(like) + self._vae.config.batch_norm_eps).sqrt()
        return norm.running_mean.to(like).view(1, -1, 1, 1), deviation.view(1, -1, 1, 1)


def in_patches(latents: torch.Tensor, side: int) -> torch.Tensor:
    """Latents [n, c, h, w] as patches [n, c x side^2, h / side, w / side]; diffusers' `_patchify_latents`."""
    grid = latents.unflatten(3, (-1, side)).unflatten(2, (-1, side))
    return grid.permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


def of_patches(patches: torch.Tensor, side: int) -> torch.Tensor:
    """Patches [n, c x side^2, h, w] as latents [n, c, h x side, w x side]; diffusers' `_unpatchify_latents`."""
    parts = patches.unflatten(1, (-1, side, side)).permute(0, 1, 4, 2, 5, 3)
    return parts.flatten(4).flatten(2, 3)


def _has_one_color(image: torch.Tensor) -> bool:
    """True when every channel of [n, c, h, w] has the same number everywhere."""
    return bool((image == image[:, :, :1, :1]).all())
