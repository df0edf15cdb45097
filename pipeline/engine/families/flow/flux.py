"""FLUX.1 dev and schnell, and Chroma: transformers over patches and text, read by T5."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from diffusers.loaders.lora_pipeline import FluxLoraLoaderMixin

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.autoencoder import Autoencoder, in_patches, of_patches
from pipeline.engine.families.base import Conditioning
from pipeline.engine.families.clip_text import ClipText
from pipeline.engine.families.flow.lora_names import below_lora_unet, converted_whole
from pipeline.engine.families.flow.t5_text import T5Text
from pipeline.engine.families.flow.transformer import FlowTransformer, even_sigmas, grid, places, tokens
from pipeline.engine.families.prompt_words import Words
from pipeline.engine.loras.choosing import LoraKey
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.requests import GenerationRequest

TRAINED_TIMESTEPS: Final = 1000
MAX_TOKENS: Final = 512
"""Number of T5's tokens that diffusers' pipelines let the transformer read."""
_PATCH: Final = 2
"""Side of a patch in latents."""
_AXES: Final = 3
"""Axes of a place: one without use, row and column; all words stand at 0."""


class _PatchTransformer(FlowTransformer):
    """What FLUX.1 and Chroma have in common.

    Args:
        pipeline: a loaded diffusers pipeline on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        text_encoders: text encoders that LoRAs may add to, by component.

    Raises:
        ModelUnavailable: the transformer wants other latents than those of the VAE.
    """

    facts = FAMILY_FACTS["flux"]

    def __init__(
        self, pipeline: Any, placement: Placement, folder: LoraFolder, text_encoders: Mapping[str, Any]
    ) -> None:
        super().__init__(
            pipeline,
            placement,
            folder,
            lora_state_dict,
            autoencoder=Autoencoder(pipeline.vae, placement),
            channels=int(pipeline.transformer.config.in_channels) // _PATCH**2,
            patch=_PATCH,
            text_encoders=text_encoders,
        )

    def _sigmas(self, steps: int) -> tuple[float, ...]:
        return even_sigmas(steps)

    def _drawn(self, inputs: Mapping[str, torch.Tensor], **more: torch.Tensor | None) -> torch.Tensor:
        """Predictions of the transformer with further arguments."""
        latents, text = inputs["latents"], inputs["prompt_embeds"]
        height, width = latents.shape[2] // _PATCH, latents.shape[3] // _PATCH
        drawn: torch.Tensor = self._transformer(
            hidden_states=tokens(in_patches(latents, _PATCH)),
            timestep=inputs["timesteps"].to(latents.dtype) / TRAINED_TIMESTEPS,
            encoder_hidden_states=text,
            txt_ids=torch.zeros((text.shape[1], _AXES), device=text.device),
            img_ids=places(height, width, axes=_AXES, device=text.device),
            return_dict=False,
            **more,
        )[0]
        return of_patches(grid(drawn, height, width), _PATCH)


class Flux(_PatchTransformer):
    """Step adapter of FLUX.1. The guidance scale of dev is an input of its transformer; schnell draws without guidance.

    Args:
        pipeline: a loaded `FluxPipeline` on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.

    Raises:
        ModelUnavailable: a text encoder is missing, or the transformer wants other latents than those of the VAE.
    """

    def __init__(self, pipeline: Any, placement: Placement, folder: LoraFolder) -> None:
        if any(part is None for part in (pipeline.text_encoder, pipeline.text_encoder_2)):
            raise ModelUnavailable("The model lacks a text encoder; FLUX.1 needs CLIP and T5.")
        super().__init__(pipeline, placement, folder, {"text_encoder": pipeline.text_encoder})
        config: Any = pipeline.transformer.config
        self._has_guidance_inside = bool(config.guidance_embeds)
        self._clip = ClipText(pipeline.tokenizer, pipeline.text_encoder, placement, pools_last=True)
        features = int(config.joint_attention_dim)
        self._t5 = T5Text(pipeline.tokenizer_2, pipeline.text_encoder_2, placement, features, count=MAX_TOKENS)

    @property
    def is_guided(self) -> bool:
        """False: no FLUX.1 has rows for a negative prompt."""
        return False

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return self._drawn(inputs, guidance=inputs.get("guidance"), pooled_projections=inputs["pooled_projections"])

    def _encoder(self, words: Words, request: GenerationRequest) -> Callable[[str], Conditioning]:
        guidance: dict[str, torch.Tensor] = {}
        if self._has_guidance_inside:
            guidance["guidance"] = torch.tensor([request.guidance_scale], device=self._placement.device)
        return lambda part: {**self._encode(part, words.loras.text_key), **guidance}

    def _encode(self, part: str, loras: LoraKey) -> Conditioning:
        pooled = self._clip.pooled(self._clip.verbatim(part).chunks, loras)
        return {"prompt_embeds": self._t5.encode(part), "pooled_projections": pooled}

    def _cut(self, part: str) -> str:
        return self._t5.cut(part)


class Chroma(_PatchTransformer):
    """Step adapter of Chroma, which is guided by a second row.

    Args:
        pipeline: a loaded `ChromaPipeline` on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.

    Raises:
        ModelUnavailable: the transformer wants other latents than those of the VAE.
    """

    def __init__(self, pipeline: Any, placement: Placement, folder: LoraFolder) -> None:
        super().__init__(pipeline, placement, folder, {})
        features = int(pipeline.transformer.config.joint_attention_dim)
        parts = pipeline.tokenizer, pipeline.text_encoder
        self._t5 = T5Text(*parts, placement, features, count=MAX_TOKENS, is_masked=True)

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        latents, words = inputs["latents"], inputs["prompt_mask"]
        patches = latents.shape[2] * latents.shape[3] // _PATCH**2
        # As in diffusers, the mask is a number that attention adds.
        mask = torch.cat([words, words.new_ones(len(words), patches)], dim=1)
        return self._drawn(inputs, attention_mask=mask)

    def _encoder(self, words: Words, request: GenerationRequest) -> Callable[[str], Conditioning]:
        del words, request
        return lambda part: {"prompt_embeds": self._t5.encode(part), "prompt_mask": self._mask(part)}

    def _mask(self, part: str) -> torch.Tensor:
        """1 for the words of a text and for one token that fills up, else 0; [1, MAX_TOKENS]."""
        place = torch.arange(MAX_TOKENS, device=self._placement.device)
        return (place <= self._t5.length(part)).to(self._placement.dtype)[None]

    def _cut(self, part: str) -> str:
        return self._t5.cut(part)


def flux_adapter(pipeline: Any, placement: Placement, folder: LoraFolder, clip_skip: int | None) -> FlowTransformer:
    """Step adapter of the family `flux` for a loaded pipeline; CLIP's layers do not count, because it only pools."""
    del clip_skip
    adapter = Chroma if type(pipeline).__name__ == "ChromaPipeline" else Flux
    return adapter(pipeline, placement, folder)


def lora_state_dict(state: Mapping[str, torch.Tensor], **options: Any) -> dict[str, torch.Tensor]:
    """Names of a LoRA's matrices as in diffusers, from those of diffusers, kohya, XLabs, and the original model."""
    del options
    return converted_whole(FluxLoraLoaderMixin.lora_state_dict, below_lora_unet(state))
