"""Z-Image, the distilled Turbo and the base model: one transformer over patches and text, read by Qwen 3."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from diffusers.loaders.lora_pipeline import ZImageLoraLoaderMixin
from diffusers.pipelines.z_image.pipeline_z_image import ZImagePipeline, get_default_z_image_sigmas
from torch.nn.functional import pad

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning
from pipeline.engine.families.flow.chat_text import ChatText
from pipeline.engine.families.flow.transformer import FlowTransformer
from pipeline.engine.families.flow.z_image_network import RowTransformer
from pipeline.engine.families.prompt_words import Words
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.requests import GenerationRequest

_LENGTHS: Final = (64, 128, 256, 512)
"""Token counts of texts in a forward pass; texts of one count can share it. A shorter text is masked, not cut."""
_FUSED: Final = (".attention.qkv.", (".attention.to_q.", ".attention.to_k.", ".attention.to_v."))
_RENAMED: Final = (".attention.out.", ".attention.to_out.0.")


class ZImage(FlowTransformer):
    """Step adapter of the family `z-image`.

    CFG is A1111's: the pipeline's own scale is less by 1, and CFG 1 is one row a step.

    Args:
        pipeline: a loaded diffusers pipeline on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        clip_skip: is not used; the language model is read at its second-last layer.

    Raises:
        ModelUnavailable: the transformer wants other latents than those of the VAE.
    """

    facts = FAMILY_FACTS["z-image"]

    def __init__(
        self, pipeline: ZImagePipeline, placement: Placement, folder: LoraFolder, clip_skip: int | None = None
    ) -> None:
        del clip_skip
        transformer: Any = pipeline.transformer
        transformer.__class__ = RowTransformer
        super().__init__(
            pipeline,
            placement,
            folder,
            lora_state_dict,
            autoencoder=Autoencoder(pipeline.vae, placement),
            channels=int(transformer.config.in_channels),
            patch=int(transformer.config.all_patch_size[0]),
            text_encoders={},
        )
        self._text = ChatText(pipeline.tokenizer, pipeline.text_encoder, placement, layers=(-2,), thinks=True)

    def _sigmas(self, steps: int) -> tuple[float, ...]:
        return tuple(get_default_z_image_sigmas(steps))

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        drawn: torch.Tensor = self._transformer(
            inputs["latents"], inputs["timesteps"], inputs["prompt_embeds"], inputs["prompt_lengths"]
        )
        return drawn

    def _encoder(self, words: Words, request: GenerationRequest) -> Callable[[str], Conditioning]:
        """Texts get the length of the longest one, so that the rows of a job share a forward pass."""
        del request
        parts = [part for text in words.texts for _, part in text.parts]
        longest = max(int(self._text.encode(part)[1].sum()) for part in parts)
        count = next(length for length in _LENGTHS if length >= longest)
        return lambda part: self._encode(part, count)

    def _encode(self, part: str, count: int) -> Conditioning:
        features, is_word = self._text.encode(part)
        known = features[:, is_word]
        return {
            "prompt_embeds": pad(known, (0, 0, 0, count - known.shape[1])),
            "prompt_lengths": is_word.sum()[None],
        }

    def _cut(self, part: str) -> str:
        return self._text.cut(part)


def lora_state_dict(state: Mapping[str, torch.Tensor], **options: Any) -> dict[str, torch.Tensor]:
    """Names of a LoRA's matrices as in diffusers, from those of diffusers, kohya's trainer, and the original model.

    diffusers splits the original model's joined queries, keys and values only where their matrices have kohya's names.
    """
    del options
    fused, separate = _FUSED
    split: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        if fused not in name:
            split[name.replace(*_RENAMED)] = tensor
            continue
        is_up = ".lora_B." in name or ".lora_up." in name
        parts = tensor.chunk(len(separate)) if is_up else [tensor] * len(separate)
        split |= {name.replace(fused, own): part for own, part in zip(separate, parts, strict=True)}
    converted: Any = ZImageLoraLoaderMixin.lora_state_dict(split)
    return converted
