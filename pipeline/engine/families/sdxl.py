"""Stable Diffusion XL without the refiner: two CLIP text encoders and a U-Net that gets the picture's size."""

from typing import Any

import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning, EncodedText, StepAdapter, TimedConditioning
from pipeline.engine.families.clip_text import PENULTIMATE, ClipText
from pipeline.engine.families.prompt_words import Text, Words, cut_notices, read_words
from pipeline.engine.families.unet import Unet
from pipeline.engine.loras.choosing import ModelLoras
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.mentioning import ModelEmbeddings
from pipeline.engine.loras.rows import Rows
from pipeline.engine.references.rows import ReferencesOfRows
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.passes import Pass, passes_of
from pipeline.protocol.requests import GenerationRequest


class StableDiffusionXL(StepAdapter):
    """Step adapter of the family `sdxl`.

    Args:
        pipeline: a loaded diffusers pipeline on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        clip_skip: layer of the CLIP text encoders to use, counted from the last as 1; None is the default layer.

    Raises:
        ModelUnavailable: the model lacks a text encoder, as the refiner does, or its U-Net has further input
            channels of another kind.
    """

    facts = FAMILY_FACTS["sdxl"]

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        placement: Placement,
        folder: LoraFolder,
        clip_skip: int | None = None,
    ) -> None:
        super().__init__(Autoencoder(pipeline.vae, placement), pipeline, pipeline.unet)
        pairs = ((pipeline.tokenizer, pipeline.text_encoder), (pipeline.tokenizer_2, pipeline.text_encoder_2))
        if any(part is None for pair in pairs for part in pair):
            raise ModelUnavailable("The model lacks a text encoder; refiners cannot draw from text alone.")
        layer = clip_skip or PENULTIMATE
        self._texts = tuple(
            ClipText(*pair, placement, layer=layer, has_norm=False, place=place) for place, pair in enumerate(pairs)
        )
        text_encoders = {"text_encoder": pipeline.text_encoder, "text_encoder_2": pipeline.text_encoder_2}
        self._loras = ModelLoras(folder, ("unet", pipeline.unet), text_encoders, placement)
        self._unet = Unet(pipeline, placement, self.latent_channels, self._loras)
        self._embeddings = ModelEmbeddings(folder, [reader.width for reader in self._texts])
        self._placement = placement
        config: Any = pipeline.config
        self._zeros_for_nothing = bool(config.force_zeros_for_empty_prompt)

    @property
    def extra_channels(self) -> int:
        """Number of further input channels; see `StepAdapter.extra_channels`."""
        return self._unet.extra_channels

    @property
    def is_editing(self) -> bool:
        """True for a model that edits a picture; see `StepAdapter.is_editing`."""
        return self._unet.is_editing

    @torch.inference_mode()
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode prompt and negative prompt for each step; every text gets the chunk count of the longest one."""
        is_guided = not self._unet.has_guidance_inside
        words = read_words(request, self._loras, self._embeddings, self.facts, is_guided=is_guided)
        guidance = self._unet.guidance(request.guidance_scale)
        pieces = [piece for text in words.texts for piece in text.pieces]
        count = max(len(reader.chunks(piece, words.marks).chunks) for reader in self._texts for piece in pieces)

        def encode(text: Text) -> TimedConditioning:
            is_zero = text.is_negative and self._zeros_for_nothing

            def encode_part(part: str) -> Conditioning:
                encoded = self._encode(part, count, words)
                # For an empty negative prompt the model was trained with zeros, not with an encoded empty text.
                if is_zero and not part:
                    encoded = {key: torch.zeros_like(value) for key, value in encoded.items()}
                return {**encoded, **guidance}

            return self._with_sizes(text.encoded(encode_part), request)

        cuts = cut_notices(words.texts, lambda part: self._texts[0].chunks(part, words.marks).cut)
        with self._loras.encoding(words.loras):
            return words.encoded(encode, cuts)

    def release(self) -> None:
        """Release cached LoRA tensors."""
        self._loras.release()

    def predict(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        conditioning: Conditioning,
        loras: Rows = (),
        references: ReferencesOfRows = (),
    ) -> torch.Tensor:
        """Run one forward pass of the U-Net; see `StepAdapter.predict`."""
        with self._loras.denoising(loras):
            return self._unet.predict(latents, timesteps, conditioning, references)

    def _encode(self, part: str, count: int, words: Words) -> Conditioning:
        """Conditioning of one text: joined features of both encoders, and the pooled vector of the second."""
        loras = words.loras.text_key
        chunked = [reader.chunks(part, words.marks).chunks for reader in self._texts]
        tokens = [reader.encode(chunks, count, loras) for reader, chunks in zip(self._texts, chunked, strict=True)]
        pooled = self._texts[-1].pooled(chunked[-1], loras)
        return {"prompt_embeds": torch.cat(tokens, dim=-1), "text_embeds": pooled}

    def _with_sizes(self, timed: TimedConditioning, request: GenerationRequest) -> TimedConditioning:
        """Add the picture's size in each pass."""
        first, *later = passes_of(request, self.facts)
        parts = [(last, {**found, "time_ids": self._time_ids(first)}) for last, found in timed.parts]
        for one_pass in later:
            last, found = parts[-1]
            parts.append((last + one_pass.steps, {**found, "time_ids": self._time_ids(one_pass)}))
        return TimedConditioning(tuple(parts))

    def _time_ids(self, one_pass: Pass) -> torch.Tensor:
        """Time ids [1, 6]: original size, top left corner of the crop, and target size, in pixels."""
        size = [one_pass.height, one_pass.width]
        return torch.tensor([[*size, 0, 0, *size]], device=self._placement.device, dtype=self._placement.dtype)
