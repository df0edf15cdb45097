"""Latents of whole pipelines for previews: unpacked to a grid, and decoded by the pipeline's own VAE."""

import inspect
import logging
import math
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import nn

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import detail_of
from pipeline.engine.families.autoencoder import PatchAutoencoder, of_patches

log = logging.getLogger(__name__)

_VAES: Final = ("vae", "movq", "vqgan")
"""Names of the component that makes pixels of latents, in diffusers' pipelines."""
_TRIED_SIDE: Final = 4
_FRAMES: Final = 5
"""Number of dimensions of latents with frames."""


class PipelineLatents:
    """Latents of a pipeline as a grid [n, c, h, w], which a linear map can show.

    Args:
        pipeline: a diffusers pipeline on its device.
        placement: device and precision.

    Raises:
        Exception: any exception of a VAE that decodes no such grid.
    """

    def __init__(self, pipeline: Any, placement: Placement) -> None:
        self._pipeline, self._placement = pipeline, placement
        self._vae: Any = next((found for name in _VAES if (found := getattr(pipeline, name, None)) is not None), None)
        self._channels = self._counted_channels()
        tried = torch.zeros((1, self._channels, _TRIED_SIDE, _TRIED_SIDE), dtype=placement.latents_dtype)
        self._scale_factor = self.decode(tried.to(placement.device)).shape[-1] // _TRIED_SIDE

    @property
    def latent_channels(self) -> int:
        """Number of channels of the grid."""
        return self._channels

    @property
    def scale_factor(self) -> int:
        """Pixels per latent of the grid along one side."""
        return self._scale_factor

    def grid(self, latents: torch.Tensor, height: int, width: int) -> torch.Tensor | None:
        """The latents of a picture of this size in pixels as a grid; None when their layout is unknown.

        Args:
            latents: as the pipeline reports them: [n, c, h, w], with frames [n, c, 1, h, w] or [n, 1, h, w, c], or as
                rows of tokens [n, tokens, c].
            height: height of the picture.
            width: its width.
        """
        if latents.dim() == 3:  # noqa: PLR2004 - rows of tokens
            latents = self._unpacked(latents, height, width)
        if latents.dim() == _FRAMES and latents.shape[1] == 1 and latents.shape[-1] == self._channels:
            latents = latents.permute(0, 4, 1, 2, 3)
        if latents.dim() == _FRAMES:
            latents = latents[:, :, 0]
        return latents if latents.dim() == _FRAMES - 1 and latents.shape[1] == self._channels else None

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode a grid [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1."""
        vae = self._vae
        if vae is None:
            return (latents.float() / 2 + 0.5).clamp(0, 1)
        found = latents.to(vae.device, vae.dtype)
        if self._has_patches:
            deviation = (vae.bn.running_var + vae.config.batch_norm_eps).sqrt()
            found = found * deviation.view(1, -1, 1, 1) + vae.bn.running_mean.view(1, -1, 1, 1)
            found = of_patches(found, PatchAutoencoder.patch)
        else:
            found = self._unscaled(found)
        if any(isinstance(part, nn.Conv3d) for part in vae.modules()):
            found = found[:, :, None]
        # A vector quantiser takes latents of a diffusion as they are.
        kept = {"force_not_quantize": True} if "force_not_quantize" in _parameters(vae.decode) else {}
        pixels: Any = vae.decode(found, **kept).sample
        pixels = pixels[:, :, 0] if pixels.dim() == _FRAMES else pixels
        # Stable Cascade's VAE answers from 0 to 1, all others from -1 to 1.
        return (pixels.float() if hasattr(vae.config, "scale_factor") else pixels.float() / 2 + 0.5).clamp(0, 1)

    def _unscaled(self, latents: torch.Tensor) -> torch.Tensor:
        """The network's latents as the VAE takes them, by the statistics in its configuration."""
        config = self._vae.config
        means, deviations = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
        if means is not None and deviations is not None:
            mean, deviation = (latents.new_tensor(row).view(1, -1, 1, 1) for row in (means, deviations))
            return latents * deviation / (getattr(config, "scaling_factor", None) or 1.0) + mean
        if hasattr(config, "scale_factor"):
            return latents * config.scale_factor
        # Kandinsky's MoVQ names a scale that its pipelines do not use.
        is_scaled = "force_not_quantize" not in _parameters(self._vae.decode)
        scale = getattr(config, "scaling_factor", None) if is_scaled else None
        return latents / (scale or 1.0) + (getattr(config, "shift_factor", None) or 0.0)

    def _counted_channels(self) -> int:
        if self._vae is None:
            return int(self._pipeline.unet.config.in_channels)
        config = self._vae.config
        channels = getattr(config, "latent_channels", None) or config.z_dim
        return channels * PatchAutoencoder.patch**2 if self._has_patches else channels

    @property
    def _has_patches(self) -> bool:
        """True for a VAE that has statistics of patches of latents instead of a scale."""
        return isinstance(getattr(self._vae, "bn", None), nn.BatchNorm2d)

    def _unpacked(self, latents: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Rows of tokens as a grid: by the pipeline's own method, or row by row where a token is a patch."""
        unpack: Any = getattr(self._pipeline, "_unpack_latents", None)
        if unpack is None:
            rows = round(math.sqrt(latents.shape[1] * height / width))
            return latents.unflatten(1, (rows, -1)).permute(0, 3, 1, 2)
        known: Mapping[str, Any] = {
            "latents": latents,
            "height": height,
            "width": width,
            "vae_scale_factor": getattr(self._pipeline, "vae_scale_factor", None),
            "patch_size": getattr(self._pipeline.transformer.config, "patch_size", None),
        }
        return unpack(**{name: value for name, value in known.items() if name in _parameters(unpack)})


def latents_of(pipeline: Any, placement: Placement) -> PipelineLatents | None:
    """The pipeline's latents; None when its VAE decodes none, or must not be used beside the pipeline."""
    config = getattr(getattr(pipeline, "vae", None), "config", None)
    # Some pipelines convert a float16 VAE to float32 for decoding. A preview could change its dtype before that.
    if placement.dtype is torch.float16 and bool(getattr(config, "force_upcast", False)):
        return None
    try:
        return PipelineLatents(pipeline, placement)
    # VAEs of diffusers differ in ways that nobody can list; without a preview the pipeline still draws.
    except Exception as error:  # noqa: BLE001 - see above
        log.info("A %s shows no previews: %s", type(pipeline).__name__, detail_of(error))
        return None


def _parameters(function: Any) -> Mapping[str, Any]:
    return inspect.signature(function).parameters
