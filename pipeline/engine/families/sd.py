"""Stable Diffusion 1.x and 2.x: CLIP text, one U-Net, epsilon or v-prediction."""

from collections.abc import Mapping
from typing import Any, Final

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from pipeline.engine.devices import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.base import Conditioning, EncodedText, TimedConditioning
from pipeline.engine.families.clip_text import ClipText
from pipeline.engine.loras.choosing import ChosenLoras, ModelLoras
from pipeline.engine.loras.rows import Rows
from pipeline.engine.loras.shelf import LoraShelf
from pipeline.prompts.chunks import Chunk
from pipeline.prompts.schedule import read_schedule
from pipeline.prompts.tags import read_tags
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

NO_GUIDANCE: Final = 1.0
"""At this scale and below, guidance adds nothing and the unconditional row is left out."""


class StableDiffusion:
    """The step adapter of family `sd`.

    Args:
        pipeline: a loaded diffusers pipeline, already on its device; only its components are used.
        placement: where it lives.
        shelf: the owner's LoRAs.

    Raises:
        ModelUnavailable: the U-Net does not start from plain latents (inpainting, depth, image pairs).
    """

    def __init__(self, pipeline: StableDiffusionPipeline, placement: Placement, shelf: LoraShelf) -> None:
        text_encoder: Any = pipeline.text_encoder
        self._unet: Any = pipeline.unet
        self._vae: Any = pipeline.vae
        self._placement = placement
        self._text = ClipText(pipeline.tokenizer, text_encoder, placement)
        self._loras = ModelLoras(shelf, ("unet", self._unet), {"text_encoder": text_encoder}, placement)
        self._scheduler_config: Mapping[str, Any] = dict(pipeline.scheduler.config)
        for module in (text_encoder, self._unet, self._vae):
            module.eval().requires_grad_(False)
        if self._unet.config.in_channels != self.latent_channels:
            raise ModelUnavailable("The model's U-Net wants more than latents; it is not made for text alone.")
        if self._needs_full_precision_vae:
            self._vae.to(torch.float32)

    @property
    def scheduler_config(self) -> Mapping[str, Any]:
        """The model's own noise schedule and prediction type."""
        return self._scheduler_config

    @property
    def latent_channels(self) -> int:
        """Channels of its latents."""
        return int(self._vae.config.latent_channels)

    @property
    def scale_factor(self) -> int:
        """Pixels of one latent's side: each stage of the VAE but the first halves it."""
        config = self._vae.config
        if isinstance(self._vae, AutoencoderTiny):
            return 2 ** (len(config.decoder_block_out_channels) - 1)
        return 2 ** (len(config.block_out_channels) - 1)

    @torch.inference_mode()
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode what prompt and negative prompt say at each step, all in as many chunks as the longest has."""
        tagged = read_tags(request.prompt)
        chosen, lora_notices = self._loras.choose(tagged)
        notices = [*lora_notices]
        steps = request.num_inference_steps
        positive = self._read(tagged.prompt, steps, "notice-prompt-cut", notices)
        negative = None
        if request.guidance_scale > NO_GUIDANCE:
            # As in A1111, a LoRA is named in the prompt and holds for both.
            without = read_tags(request.negative_prompt)
            if without.tags:
                notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(without.tags)}))
            negative = self._read(without.prompt, steps, "notice-negative-cut", notices)
        count = max(len(chunks) for _, chunks in (*positive, *(negative or ())))
        with self._loras.encoding(chosen):
            return EncodedText(
                positive=self._encode(positive, count, chosen),
                negative=None if negative is None else self._encode(negative, count, chosen),
                notices=tuple(notices),
                lora=chosen.denoiser,
            )

    @torch.inference_mode()
    def predict(
        self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning, loras: Rows = ()
    ) -> torch.Tensor:
        """One forward of the U-Net; see `StepAdapter.predict`."""
        with self._loras.denoising(loras):
            prediction: torch.Tensor = self._unet(
                latents.to(self._placement.dtype),
                timesteps,
                encoder_hidden_states=conditioning["prompt_embeds"],
                return_dict=False,
            )[0]
        return prediction.to(latents.dtype)

    @torch.inference_mode()
    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w]: the middle of what the VAE takes for likely."""
        scaling: float = self._vae.config.scaling_factor
        answer: Any = self._vae.encode(pixels.to(self._placement.device, self._vae.dtype) * 2 - 1)
        latents: torch.Tensor = answer.latents if isinstance(self._vae, AutoencoderTiny) else answer.latent_dist.mode()
        return latents * scaling

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32; NaN stays NaN."""
        scaled = (latents / self._vae.config.scaling_factor).to(self._vae.dtype)
        pixels: torch.Tensor = self._vae.decode(scaled, return_dict=False)[0]
        return (pixels.float() / 2 + 0.5).clamp(0, 1)

    @property
    def _needs_full_precision_vae(self) -> bool:
        # Stable Diffusion's own VAE leaves float16's range on some pictures and says so in its configuration.
        return self._placement.dtype is torch.float16 and bool(getattr(self._vae.config, "force_upcast", False))

    def _read(
        self, prompt: str, steps: int, cut_key: str, notices: list[Notice]
    ) -> list[tuple[int, tuple[Chunk, ...]]]:
        """The chunks of each part of a prompt with its last step; what was left out is told once."""
        read = [(part.last_step, self._text.chunks(part.text)) for part in read_schedule(prompt, steps)]
        cut = next((chunked.cut for _, chunked in read if chunked.cut), "")
        if cut:
            notices.append(Notice(key=cut_key, values={"text": cut}))
        return [(last_step, chunked.chunks) for last_step, chunked in read]

    def _encode(self, parts: list[tuple[int, tuple[Chunk, ...]]], count: int, chosen: ChosenLoras) -> TimedConditioning:
        return TimedConditioning(
            tuple(
                (last_step, {"prompt_embeds": self._text.encode(chunks, count, chosen.text_key)})
                for last_step, chunks in parts
            )
        )
