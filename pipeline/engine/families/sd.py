"""Stable Diffusion 1.x and 2.x: one CLIP text encoder, a U-Net, epsilon or v-prediction."""

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning, EncodedText, StepAdapter
from pipeline.engine.families.clip_text import ClipText
from pipeline.engine.families.prompt_words import cut_notices, read_words
from pipeline.engine.families.unet import Unet
from pipeline.engine.loras.choosing import ModelLoras
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.mentioning import ModelEmbeddings
from pipeline.engine.loras.rows import Rows
from pipeline.engine.references.rows import ReferencesOfRows
from pipeline.prompts.chunks import Chunked
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.requests import GenerationRequest


class StableDiffusion(StepAdapter):
    """Step adapter of the family `sd`.

    Args:
        pipeline: a loaded diffusers pipeline on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        clip_skip: layer of the text encoder to use, counted from the last as 1; None is the default layer.

    Raises:
        ModelUnavailable: the U-Net has further input channels of another kind, such as depth.
    """

    facts = FAMILY_FACTS["sd"]

    def __init__(
        self,
        pipeline: StableDiffusionPipeline,
        placement: Placement,
        folder: LoraFolder,
        clip_skip: int | None = None,
    ) -> None:
        super().__init__(Autoencoder(pipeline.vae, placement), pipeline, pipeline.unet)
        self._text = ClipText(pipeline.tokenizer, pipeline.text_encoder, placement, layer=clip_skip or 1)
        text_encoders = {"text_encoder": pipeline.text_encoder}
        self._loras = ModelLoras(folder, ("unet", pipeline.unet), text_encoders, placement)
        self._unet = Unet(pipeline, placement, self.latent_channels, self._loras)
        self._embeddings = ModelEmbeddings(folder, (self._text.width,))

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

        def chunked(part: str) -> Chunked:
            return self._text.chunks(part, words.marks)

        count = max(len(chunked(piece).chunks) for text in words.texts for piece in text.pieces)

        def encode(part: str) -> Conditioning:
            chunks = chunked(part).chunks
            return {"prompt_embeds": self._text.encode(chunks, count, words.loras.text_key), **guidance}

        cuts = cut_notices(words.texts, lambda part: chunked(part).cut)
        with self._loras.encoding(words.loras):
            return words.encoded(lambda text: text.encoded(encode), cuts)

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
