"""Stable Diffusion XL: two CLIP text encoders, one U-Net that is told the picture's size, no refiner."""

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
from pipeline.protocol.requests import GenerationRequest


class StableDiffusionXL(StepAdapter):
    """The step adapter of family `sdxl`.

    Args:
        pipeline: a loaded diffusers pipeline, already on its device; only its components are used.
        placement: where it lives.
        folder: of the owner's LoRAs.
        clip_skip: the layer of the CLIP text encoders that is taken, from the last, which is 1.

    Raises:
        ModelUnavailable: it lacks a text encoder, as the refiner does, or its U-Net is made for something else.
    """

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
        self._unet = Unet(pipeline, placement, self.latent_channels)
        text_encoders = {"text_encoder": pipeline.text_encoder, "text_encoder_2": pipeline.text_encoder_2}
        self._loras = ModelLoras(folder, ("unet", pipeline.unet), text_encoders, placement)
        self._embeddings = ModelEmbeddings(folder, [reader.width for reader in self._texts])
        self._placement = placement
        config: Any = pipeline.config
        self._zeros_for_nothing = bool(config.force_zeros_for_empty_prompt)

    @torch.inference_mode()
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode what prompt and negative prompt say at each step, all in as many chunks as the longest has."""
        words = read_words(request, self._loras, self._embeddings, is_guided=not self._unet.has_guidance_inside)
        guidance = self._unet.guidance(request.guidance_scale)
        parts = [part for text in words.texts for _, part in text.parts]
        count = max(len(reader.chunks(part, words.marks).chunks) for reader in self._texts for part in parts)

        def encode(text: Text) -> TimedConditioning:
            is_zero = text.is_negative and self._zeros_for_nothing

            def encode_part(part: str) -> Conditioning:
                encoded = self._encode(part, count, words)
                # The model was trained with zeros, and not with an empty text, where nothing is to be avoided.
                if is_zero and not part:
                    encoded = {key: torch.zeros_like(value) for key, value in encoded.items()}
                return {**encoded, **guidance}

            return self._with_sizes(text.encoded(encode_part), request)

        cuts = cut_notices(words.texts, lambda part: self._texts[0].chunks(part, words.marks).cut)
        with self._loras.encoding(words.loras):
            return words.encoded(encode, cuts)

    def release(self) -> None:
        """Let go of the rows' LoRAs."""
        self._loras.release()

    def predict(
        self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning, loras: Rows = ()
    ) -> torch.Tensor:
        """One forward of the U-Net; see `StepAdapter.predict`."""
        with self._loras.denoising(loras):
            return self._unet.predict(latents, timesteps, conditioning)

    def _encode(self, part: str, count: int, words: Words) -> Conditioning:
        """Features of both encoders side by side, and the second one's vector."""
        loras = words.loras.text_key
        chunked = [reader.chunks(part, words.marks).chunks for reader in self._texts]
        tokens = [reader.encode(chunks, count, loras) for reader, chunks in zip(self._texts, chunked, strict=True)]
        pooled = self._texts[-1].pooled(chunked[-1], loras)
        return {"prompt_embeds": torch.cat(tokens, dim=-1), "text_embeds": pooled}

    def _with_sizes(self, timed: TimedConditioning, request: GenerationRequest) -> TimedConditioning:
        """Add the picture's size; that of a second pass is larger."""
        parts = [(last, {**found, "time_ids": self._time_ids(request, 1)}) for last, found in timed.parts]
        if request.upscale is not None and request.refining_steps:
            last, found = parts[-1]
            larger = {**found, "time_ids": self._time_ids(request, request.upscale.scale)}
            parts.append((last + request.refining_steps, larger))
        return TimedConditioning(tuple(parts))

    def _time_ids(self, request: GenerationRequest, scale: int) -> torch.Tensor:
        """[1, 6]: the size the picture had, where it was cropped, the size it shall have."""
        size = [request.height * scale, request.width * scale]
        return torch.tensor([[*size, 0, 0, *size]], device=self._placement.device, dtype=self._placement.dtype)
