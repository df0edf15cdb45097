"""What the step adapters of flow models have in common: a transformer over patches of the latents."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import calculate_shift
from torch.nn.functional import pad

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import Conditioning, EncodedText, StepAdapter
from pipeline.engine.families.prompt_words import Words, bracket_notices, cut_notices, read_words
from pipeline.engine.loras.choosing import ModelLoras
from pipeline.engine.loras.files import Converter
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.loras.mentioning import ModelEmbeddings
from pipeline.engine.loras.rows import Rows
from pipeline.engine.references.rows import ReferencesOfRows
from pipeline.engine.sampling.schedulers import FlowSpacing
from pipeline.protocol.passes import Pass
from pipeline.protocol.requests import GenerationRequest


class FlowTransformer(StepAdapter):
    """Step adapter of a flow model. It reads its text literally: brackets are text, and no embedding is used.

    Args:
        pipeline: a loaded diffusers pipeline on its device; only its components are used.
        placement: device and precision.
        folder: the owner's LoRA folder.
        convert: diffusers' `lora_state_dict` for this family.
        autoencoder: converts between latents and pixels.
        channels: latent channels that the transformer wants.
        patch: side of one patch in latents.
        text_encoders: text encoders that LoRAs may add to, by component.

    Raises:
        ModelUnavailable: the transformer wants other latents than those of the VAE.
    """

    def __init__(
        self,
        pipeline: Any,
        placement: Placement,
        folder: LoraFolder,
        convert: Converter,
        *,
        autoencoder: Autoencoder,
        channels: int,
        patch: int,
        text_encoders: Mapping[str, Any],
    ) -> None:
        super().__init__(autoencoder, pipeline, pipeline.transformer)
        if channels != self.latent_channels:
            raise ModelUnavailable(
                f"The model's transformer wants {channels} channels and its VAE has {self.latent_channels} channels: "
                "it is not made for text alone, or the VAE is that of another model."
            )
        self._transformer: Any = pipeline.transformer.eval().requires_grad_(False)
        self._patch = patch
        self._placement = placement
        self._loras = ModelLoras(folder, ("transformer", self._transformer), text_encoders, placement, convert)
        self._forward = self._loras.accelerated(self._plain)
        self._embeddings = ModelEmbeddings(folder)

    @property
    def size_multiple(self) -> int:
        """Side of one patch in pixels; width and height must be multiples of it."""
        return self.scale_factor * self._patch

    @property
    def is_guided(self) -> bool:
        """True when guidance takes rows for a negative prompt; a distilled model draws without it."""
        return True

    def spacing(self, one_pass: Pass) -> FlowSpacing:
        """Spacing of the noise levels in a pass; the shift grows with the number of patches."""
        side, steps = self.size_multiple, one_pass.schedule_steps
        patches = (one_pass.height // side) * (one_pass.width // side)
        return FlowSpacing(mu=self._mu(patches, steps), sigmas=self._sigmas(steps))

    @torch.inference_mode()
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode prompt and negative prompt; neither changes between steps."""
        words = read_words(
            request, self._loras, self._embeddings, self.facts, is_guided=self.is_guided, is_scheduled=False
        )
        notices = [*cut_notices(words.texts, self._cut), *bracket_notices(words.texts)]
        with self._loras.encoding(words.loras):
            encode = self._encoder(words, request)
            return words.encoded(lambda text: text.encoded(encode), notices)

    def release(self) -> None:
        """Release cached LoRA tensors."""
        self._loras.release()

    @torch.inference_mode()
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

    def _mu(self, patches: int, steps: int) -> float:
        """Shift for a number of patches, as the scheduler's settings say."""
        del steps
        config = self.scheduler_config
        return calculate_shift(
            patches,
            config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5),
            config.get("max_shift", 1.15),
        )

    def _sigmas(self, steps: int) -> tuple[float, ...] | None:
        """Noise levels before the shift; None takes those of the scheduler."""
        del steps
        return None

    @abstractmethod
    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Run one forward pass of the transformer: `latents`, `timesteps` and the conditioning to [rows, c, h, w]."""

    @abstractmethod
    def _encoder(self, words: Words, request: GenerationRequest) -> Callable[[str], Conditioning]:
        """What encodes each of a request's texts; all of them get the same shapes."""

    @abstractmethod
    def _cut(self, part: str) -> str:
        """Part of a text beyond the token limit; empty when the whole text fits."""


def even_sigmas(steps: int) -> tuple[float, ...]:
    """Noise levels from 1 down to 1 / steps, as the pipelines of FLUX give them to their schedulers."""
    return tuple(np.linspace(1.0, 1 / steps, steps).tolist())


def places(height: int, width: int, *, axes: int, device: torch.device) -> torch.Tensor:
    """Places of patches for FLUX, [height x width, axes]: row and column are the second and the third of the axes."""
    down, right = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return pad(torch.stack([down.flatten(), right.flatten()], dim=1), (1, axes - 3))


def tokens(latents: torch.Tensor) -> torch.Tensor:
    """Latents [n, c, h, w] as tokens [n, h x w, c]."""
    return latents.flatten(2).transpose(1, 2)


def grid(drawn: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Tokens [n, height x width, c] as latents [n, c, height, width]."""
    return drawn.transpose(1, 2).unflatten(2, (height, width))
