"""Stable Diffusion 3 and 3.5: a flow matching transformer, two CLIP text encoders and T5."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers.loaders.lora_pipeline import SD3LoraLoaderMixin
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import StableDiffusion3Pipeline
from torch.nn.functional import pad

from pipeline.engine.device.acceleration import accelerate
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning, EncodedText, StepAdapter
from pipeline.engine.families.clip_text import PENULTIMATE, ClipText
from pipeline.engine.families.prompt_words import Words, cut_notices, read_words
from pipeline.engine.families.t5_text import T5Text
from pipeline.engine.loras.choosing import LoraKey, ModelLoras
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.mentioning import ModelEmbeddings
from pipeline.engine.loras.rows import Rows
from pipeline.engine.references.rows import ReferencesOfRows
from pipeline.prompts.emphasis import Fragment, read_emphasis
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice


class StableDiffusion3(StepAdapter):
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
        super().__init__(Autoencoder(pipeline.vae, placement), pipeline, pipeline.transformer)
        pairs = ((pipeline.tokenizer, pipeline.text_encoder), (pipeline.tokenizer_2, pipeline.text_encoder_2))
        if any(part is None for pair in pairs for part in pair):
            raise ModelUnavailable("The model lacks a CLIP text encoder; only T5 may be left out.")
        transformer: Any = pipeline.transformer
        self._transformer: Any = transformer.eval().requires_grad_(False)
        if transformer.config.in_channels != self.latent_channels:
            wanted = transformer.config.in_channels
            raise ModelUnavailable(
                f"The model's transformer wants {wanted} channels and its VAE has {self.latent_channels} channels: it "
                "is not made for text alone, or the VAE is that of another model."
            )
        self._forward = accelerate(transformer, self._plain, placement)
        layer = clip_skip or PENULTIMATE
        self._clips = tuple(ClipText(*pair, placement, layer=layer, has_norm=False) for pair in pairs)
        self._t5 = T5Text(
            pipeline.tokenizer_3, pipeline.text_encoder_3, placement, int(transformer.config.joint_attention_dim)
        )
        self._placement = placement
        text_encoders = {"text_encoder": pipeline.text_encoder, "text_encoder_2": pipeline.text_encoder_2}
        convert = SD3LoraLoaderMixin.lora_state_dict
        self._loras = ModelLoras(folder, ("transformer", transformer), text_encoders, placement, convert)
        # T5 accepts no embeddings, and CLIP must get the same text.
        self._embeddings = ModelEmbeddings(folder)

    @property
    def size_multiple(self) -> int:
        """Side of one patch in pixels; width and height must be multiples of it."""
        return self.scale_factor * int(self._transformer.config.patch_size)

    def image_tokens(self, height: int, width: int) -> int:
        """Number of patches of a picture of this size in pixels."""
        return (height // self.size_multiple) * (width // self.size_multiple)

    @torch.inference_mode()
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode prompt and negative prompt; neither changes between steps."""
        words = read_words(request, self._loras, self._embeddings, self.facts, is_guided=True, is_scheduled=False)
        with self._loras.encoding(words.loras):
            return words.encoded(
                lambda text: text.encoded(lambda part: self._encode(part, words.loras.text_key)), self._notices(words)
            )

    @torch.inference_mode()
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
        """Run one forward pass of the transformer, which takes no references; see `StepAdapter.predict`."""
        del references
        inputs = {"latents": latents.to(self._placement.dtype), "timesteps": timesteps, **conditioning}
        with self._loras.denoising(loras):
            return self._forward(inputs).to(latents.dtype)

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        prediction: torch.Tensor = self._transformer(
            hidden_states=inputs["latents"],
            timestep=inputs["timesteps"],
            encoder_hidden_states=inputs["prompt_embeds"],
            pooled_projections=inputs["pooled_projections"],
            return_dict=False,
        )[0]
        return prediction

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

    def _notices(self, words: Words) -> list[Notice]:
        cut_of = self._t5.cut if self._t5.is_there else lambda part: self._clips[0].verbatim(part).cut
        notices = cut_notices(words.texts, cut_of)
        if any(_has_weights(part) for text in words.texts for _, part in text.parts):
            notices.append(Notice(key="notice-brackets-are-text", values={}))
        return notices


def _has_weights(text: str) -> bool:
    return any(not isinstance(part, Fragment) or part.weight != 1.0 for part in read_emphasis(text))
