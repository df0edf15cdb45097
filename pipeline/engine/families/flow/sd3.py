"""Stable Diffusion 3 and 3.5: a flow matching transformer, two CLIP text encoders and T5."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers.loaders.lora_pipeline import SD3LoraLoaderMixin
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import StableDiffusion3Pipeline
from torch.nn.functional import pad

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning
from pipeline.engine.families.clip_text import PENULTIMATE, ClipText
from pipeline.engine.families.flow.t5_text import T5Text
from pipeline.engine.families.flow.transformer import FlowTransformer
from pipeline.engine.families.prompt_words import Words
from pipeline.engine.loras.choosing import LoraKey
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.requests import GenerationRequest


class StableDiffusion3(FlowTransformer):
    """Step adapter of the family `sd3`.

    T5 reads the text literally, so weights and schedules have no effect. CLIP gets the same literal text. T5's limit is
    longer than CLIP's, so T5 decides which words count as cut. Without T5, CLIP decides.

    Args:
        pipeline: a loaded diffusers pipeline on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        clip_skip: layer of the CLIP text encoders to use, counted from the last as 1; None is the default layer.

    Raises:
        ModelUnavailable: the model lacks a CLIP text encoder, or its transformer needs more than latents.
    """

    facts = FAMILY_FACTS["sd3"]

    def __init__(
        self,
        pipeline: StableDiffusion3Pipeline,
        placement: Placement,
        folder: LoraFolder,
        clip_skip: int | None = None,
    ) -> None:
        pairs = ((pipeline.tokenizer, pipeline.text_encoder), (pipeline.tokenizer_2, pipeline.text_encoder_2))
        if any(part is None for pair in pairs for part in pair):
            raise ModelUnavailable("The model lacks a CLIP text encoder; only T5 may be left out.")
        config: Any = pipeline.transformer.config
        super().__init__(
            pipeline,
            placement,
            folder,
            SD3LoraLoaderMixin.lora_state_dict,
            autoencoder=Autoencoder(pipeline.vae, placement),
            channels=int(config.in_channels),
            patch=int(config.patch_size),
            text_encoders={"text_encoder": pipeline.text_encoder, "text_encoder_2": pipeline.text_encoder_2},
        )
        layer = clip_skip or PENULTIMATE
        self._clips = tuple(ClipText(*pair, placement, layer=layer, has_norm=False) for pair in pairs)
        self._t5 = T5Text(pipeline.tokenizer_3, pipeline.text_encoder_3, placement, int(config.joint_attention_dim))

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        prediction: torch.Tensor = self._transformer(
            hidden_states=inputs["latents"],
            timestep=inputs["timesteps"],
            encoder_hidden_states=inputs["prompt_embeds"],
            pooled_projections=inputs["pooled_projections"],
            return_dict=False,
        )[0]
        return prediction

    def _encoder(self, words: Words, request: GenerationRequest) -> Callable[[str], Conditioning]:
        del request
        return lambda part: self._encode(part, words.loras.text_key)

    def _encode(self, part: str, loras: LoraKey) -> Conditioning:
        """Conditioning of one text.

        The features of both CLIP encoders are joined and padded with zeros to T5's width. T5's tokens follow them. The
        pooled vectors of both CLIP encoders are joined too.
        """
        chunks = [clip.verbatim(part).chunks for clip in self._clips]
        clips = [clip.encode(found, 1, loras) for clip, found in zip(self._clips, chunks, strict=True)]
        pooled = [clip.pooled(found, loras) for clip, found in zip(self._clips, chunks, strict=True)]
        of_clip, of_t5 = torch.cat(clips, dim=-1), self._t5.encode(part)
        of_clip = pad(of_clip, (0, of_t5.shape[-1] - of_clip.shape[-1]))
        return {
            "prompt_embeds": torch.cat([of_clip, of_t5], dim=1),
            "pooled_projections": torch.cat(pooled, dim=-1),
        }

    def _cut(self, part: str) -> str:
        return self._t5.cut(part) if self._t5.is_there else self._clips[0].verbatim(part).cut
