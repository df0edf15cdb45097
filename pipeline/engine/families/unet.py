"""U-Net of Stable Diffusion 1.x, 2.x and XL."""

from collections.abc import Mapping
from typing import Any, Final

import torch

from pipeline.engine.control.rows import unet_arguments
from pipeline.engine.device.acceleration import uncompiled
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.base import Conditioning
from pipeline.engine.loras.choosing import ModelLoras
from pipeline.engine.references.rows import ReferenceRows, ReferencesOfRows

_ADDED: Final = ("text_embeds", "time_ids")
"""Conditioning that Stable Diffusion XL adds to the timestep embedding."""


class Unet:
    """One U-Net; everything that differs between rows is in the conditioning.

    Args:
        pipeline: a diffusers pipeline on its device; its `unet` is used.
        placement: device and precision.
        channels: number of latent channels.
        loras: adds LoRAs to the U-Net.

    Attributes:
        extra_channels: see `StepAdapter.extra_channels`.
        is_editing: see `StepAdapter.is_editing`.

    Raises:
        ModelUnavailable: the U-Net's further input channels are of another kind, such as depth.
    """

    def __init__(self, pipeline: Any, placement: Placement, channels: int, loras: ModelLoras) -> None:
        self._pipeline = pipeline
        self._unet: Any = pipeline.unet.eval().requires_grad_(False)
        self._placement = placement
        wanted = int(self._unet.config.in_channels)
        self.extra_channels = wanted - channels
        self.is_editing = self.extra_channels == channels
        if self.extra_channels not in (0, channels, channels + 1):
            raise ModelUnavailable(
                f"The model's U-Net wants {wanted} channels and its VAE has {channels} channels: it is made neither "
                "for text alone nor for inpainting nor for edits, or the VAE is that of another model."
            )
        self._forward = loras.accelerated(self._plain)
        self._references = ReferenceRows(self._unet)

    @property
    def has_guidance_inside(self) -> bool:
        """True for a guidance-distilled U-Net: it takes the guidance scale as input and needs no unconditional rows."""
        return self._unet.config.time_cond_proj_dim is not None

    def guidance(self, scale: float) -> Conditioning:
        """Conditioning with the guidance scale, [1, features]; empty when the U-Net is not guidance-distilled."""
        if not self.has_guidance_inside:
            return {}
        embedding: torch.Tensor = self._pipeline.get_guidance_scale_embedding(
            torch.tensor([scale - 1]), embedding_dim=self._unet.config.time_cond_proj_dim
        )
        return {"timestep_cond": embedding.to(self._placement.device, self._placement.dtype)}

    @torch.inference_mode()
    def predict(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        conditioning: Conditioning,
        references: ReferencesOfRows = (),
    ) -> torch.Tensor:
        """Run one forward pass; see `StepAdapter.predict`."""
        inputs = {"latents": latents.to(self._placement.dtype), "timesteps": timesteps, **conditioning}
        if all(row is None for row in references):
            return self._forward(inputs).to(latents.dtype)
        # References are added by hooks, which a compiled or recorded forward pass has not.
        with self._references.use(references), uncompiled(self._placement):
            return self._plain(inputs).to(latents.dtype)

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        added = {key: inputs[key] for key in _ADDED if key in inputs}
        prediction: torch.Tensor = self._unet(
            inputs["latents"],
            inputs["timesteps"],
            encoder_hidden_states=inputs["prompt_embeds"],
            timestep_cond=inputs.get("timestep_cond"),
            added_cond_kwargs=added or None,
            return_dict=False,
            **unet_arguments(inputs),
        )[0]
        return prediction
