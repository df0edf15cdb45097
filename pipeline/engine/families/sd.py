"""Stable Diffusion 1.x and 2.x: CLIP text, one U-Net, epsilon or v-prediction."""

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from pipeline.engine.devices import Placement
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning, EncodedText, StepAdapter
from pipeline.engine.families.clip_text import ClipText
from pipeline.engine.families.unet import Unet
from pipeline.engine.families.words import cut_notices, read_words
from pipeline.protocol.requests import GenerationRequest


class StableDiffusion(StepAdapter):
    """The step adapter of family `sd`.

    Args:
        pipeline: a loaded diffusers pipeline, already on its device; only its components are used.
        placement: where it lives.

    Raises:
        ModelUnavailable: the U-Net does not start from plain latents (inpainting, depth, image pairs).
    """

    def __init__(self, pipeline: StableDiffusionPipeline, placement: Placement) -> None:
        super().__init__(Autoencoder(pipeline.vae, placement), pipeline)
        self._text = ClipText(pipeline.tokenizer, pipeline.text_encoder, placement)
        self._unet = Unet(pipeline, placement, self.latent_channels)

    @torch.inference_mode()
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode what prompt and negative prompt say at each step, all in as many chunks as the longest has."""
        words = read_words(request, is_guided=not self._unet.has_guidance_inside)
        guidance = self._unet.guidance(request.guidance_scale)
        count = max(len(self._text.chunks(part).chunks) for text in words.texts for _, part in text.parts)

        def encode(part: str) -> Conditioning:
            return {"prompt_embeds": self._text.encode(self._text.chunks(part).chunks, count), **guidance}

        cuts = cut_notices(words.texts, lambda part: self._text.chunks(part).cut)
        return words.encoded(lambda text: text.encoded(encode), cuts)

    def predict(self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """One forward of the U-Net; see `StepAdapter.predict`."""
        return self._unet.predict(latents, timesteps, conditioning)
