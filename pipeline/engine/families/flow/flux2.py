"""FLUX.2: klein, its base models and dev; a transformer over patches and text, read by a language model."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from diffusers.loaders.lora_pipeline import Flux2LoraLoaderMixin
from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu
from torch.nn.functional import pad
from transformers.processing_utils import ProcessorMixin

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.autoencoder import PatchAutoencoder
from pipeline.engine.families.base import Conditioning
from pipeline.engine.families.flow.chat_text import ChatText, SystemText
from pipeline.engine.families.flow.lora_names import converted_whole, of_original
from pipeline.engine.families.flow.transformer import FlowTransformer, even_sigmas, grid, places, tokens
from pipeline.engine.families.prompt_words import Words
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.requests import GenerationRequest

TRAINED_TIMESTEPS: Final = 1000
_AXES: Final = 4
"""Axes of a place: picture, row, column and word."""
_QWEN_LAYERS: Final = (9, 18, 27)
_MISTRAL_LAYERS: Final = (10, 20, 30)


class Flux2(FlowTransformer):
    """Step adapter of the family `flux2`.

    The base models of klein are guided by a second row, which reads the negative prompt; diffusers' pipeline has an
    empty one there. A distilled klein draws without guidance. The scale of dev is an input of its transformer.

    Args:
        pipeline: a loaded `Flux2KleinPipeline` or `Flux2Pipeline` on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        clip_skip: is not used; three layers of the language model are read.

    Raises:
        ModelUnavailable: the transformer wants other latents than those of the VAE.
    """

    facts = FAMILY_FACTS["flux2"]

    def __init__(self, pipeline: Any, placement: Placement, folder: LoraFolder, clip_skip: int | None = None) -> None:
        del clip_skip
        config: Any = pipeline.transformer.config
        super().__init__(
            pipeline,
            placement,
            folder,
            lora_state_dict,
            autoencoder=PatchAutoencoder(pipeline.vae, placement),
            channels=int(config.in_channels),
            patch=1,
            text_encoders={},
        )
        self._has_guidance_inside = bool(config.guidance_embeds)
        self._is_distilled = bool(getattr(pipeline.config, "is_distilled", False))
        self._text = _reader(pipeline, placement)

    @property
    def is_guided(self) -> bool:
        """True for base models of klein; see `FlowTransformer.is_guided`."""
        return not (self._has_guidance_inside or self._is_distilled)

    def _mu(self, patches: int, steps: int) -> float:
        return compute_empirical_mu(patches, steps)

    def _sigmas(self, steps: int) -> tuple[float, ...]:
        return even_sigmas(steps)

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        latents, text = inputs["latents"], inputs["prompt_embeds"]
        height, width = latents.shape[2:]
        words = torch.arange(text.shape[1], device=text.device)[:, None]
        drawn: torch.Tensor = self._transformer(
            hidden_states=tokens(latents),
            timestep=inputs["timesteps"].to(latents.dtype) / TRAINED_TIMESTEPS,
            guidance=inputs.get("guidance"),
            encoder_hidden_states=text,
            txt_ids=pad(words, (_AXES - 1, 0)),
            img_ids=places(height, width, axes=_AXES, device=latents.device),
            return_dict=False,
        )[0]
        return grid(drawn, height, width)

    def _encoder(self, words: Words, request: GenerationRequest) -> Callable[[str], Conditioning]:
        del words
        guidance: dict[str, torch.Tensor] = {}
        if self._has_guidance_inside:
            guidance["guidance"] = torch.tensor([request.guidance_scale], device=self._placement.device)
        return lambda part: {"prompt_embeds": self._text.encode(part)[0], **guidance}

    def _cut(self, part: str) -> str:
        return self._text.cut(part)


def _reader(pipeline: Any, placement: Placement) -> ChatText:
    """Qwen 3 of klein, or Mistral 3 of dev with its processor."""
    if isinstance(pipeline.tokenizer, ProcessorMixin):
        return SystemText(pipeline.tokenizer, pipeline.text_encoder, placement, layers=_MISTRAL_LAYERS)
    return ChatText(pipeline.tokenizer, pipeline.text_encoder, placement, layers=_QWEN_LAYERS, thinks=False)


def lora_state_dict(state: Mapping[str, torch.Tensor], **options: Any) -> dict[str, torch.Tensor]:
    """Names of a LoRA's matrices as in diffusers, from those of diffusers, kohya's trainer, and the original model."""
    del options
    return converted_whole(Flux2LoraLoaderMixin.lora_state_dict, of_original(state))
