"""Step adapters: the interface between the step loop and a model architecture."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import torch
from torch import nn

from pipeline.engine.device.fallbacks import Fallback
from pipeline.engine.failures import UnfitSampler
from pipeline.engine.families.autoencoder import Autoencoder, Posterior
from pipeline.engine.loras.rows import RowLora, Rows
from pipeline.engine.references.rows import ReferencesOfRows
from pipeline.engine.sampling.schedulers import OWN_SPACING, FlowSpacing, build_scheduler
from pipeline.protocol.catalogue.models import FamilyFacts
from pipeline.protocol.passes import Pass
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.sampler import Sampler
from pipeline.protocol.wire.outputs import Notice

Conditioning = Mapping[str, torch.Tensor]
"""Encoded text, one row per tensor: `prompt_embeds` [1, tokens, features] and further tensors of the family."""


class TimedConditioning(msgspec.Struct, frozen=True):
    """Conditioning that changes between steps: pairs of last step and conditioning, in order."""

    parts: tuple[tuple[int, Conditioning], ...]

    def at(self, step: int) -> Conditioning:
        """Conditioning of a step, counted from 1; steps after the last pair keep its conditioning."""
        return next((found for last_step, found in self.parts if step <= last_step), self.parts[-1][1])


class EncodedConcept(msgspec.Struct, frozen=True):
    """Conditioning of one concept, and the weight of its guidance."""

    conditioning: TimedConditioning
    weight: float = 1.0


class EncodedText(msgspec.Struct, frozen=True, kw_only=True):
    """A request's texts as tensors.

    Attributes:
        concepts: what guides the picture, at least one; several need `negative`.
        negative: conditioning of the negative prompt; None when guidance does not use it.
        notices: facts for the requester, such as words that did not fit.
        lora: LoRAs for every row of the job; None adds nothing to the model.
        lora_digests: SHA-256 of the LoRAs' files, by the LoRA's name.
        embedding_digests: SHA-256 of the embeddings' files, by the embedding's name.
    """

    concepts: tuple[EncodedConcept, ...]
    negative: TimedConditioning | None
    notices: tuple[Notice, ...]
    lora: RowLora | None = None
    lora_digests: Mapping[str, str] = {}
    embedding_digests: Mapping[str, str] = {}

    @property
    def weights(self) -> list[float]:
        """Weights of the concepts."""
        return [concept.weight for concept in self.concepts]

    def concepts_at(self, step: int) -> list[Conditioning]:
        """Conditioning of each concept in a step, counted from 1."""
        return [concept.conditioning.at(step) for concept in self.concepts]

    @property
    def positive(self) -> TimedConditioning:
        """Conditioning of the first concept, which is the whole prompt of most requests."""
        return self.concepts[0].conditioning


def modules_of(pipeline: Any) -> tuple[nn.Module, ...]:
    """All components of a diffusers pipeline that have weights."""
    return tuple(part for part in pipeline.components.values() if isinstance(part, nn.Module))


class StepAdapter(ABC):
    """Interface of one loaded model to the step loop. All methods run without gradients.

    Args:
        autoencoder: converts between the model's latents and pixels.
        pipeline: a diffusers pipeline on its device; its scheduler configuration and its modules are kept.
        network: the pipeline's U-Net or transformer.

    Attributes:
        facts: facts about the family.
    """

    facts: ClassVar[FamilyFacts] = FamilyFacts()

    def __init__(self, autoencoder: Autoencoder, pipeline: Any, network: nn.Module) -> None:
        self._autoencoder = autoencoder
        self._network = network
        self._modules = modules_of(pipeline)
        self._scheduler_config: dict[str, Any] = dict(pipeline.scheduler.config)

    @property
    def network(self) -> nn.Module:
        """U-Net or transformer that predicts the noise."""
        return self._network

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights: network, text encoders, VAE."""
        return self._modules

    @property
    def scheduler_config(self) -> Mapping[str, Any]:
        """Scheduler configuration of the model: its noise schedule and prediction type."""
        return self._scheduler_config

    @property
    def latent_channels(self) -> int:
        """Number of latent channels."""
        return self._autoencoder.latent_channels

    @property
    def scale_factor(self) -> int:
        """Pixels per latent along one side."""
        return self._autoencoder.scale_factor

    @property
    def extra_channels(self) -> int:
        """Number of further input channels.

        An inpainting model has the mask and the masked picture's latents there, an editing one the picture's latents.
        """
        return 0

    @property
    def is_editing(self) -> bool:
        """True for a model that edits a picture by an instruction (InstructPix2Pix)."""
        return False

    @property
    def size_multiple(self) -> int:
        """Width and height of a picture must be multiples of this number of pixels."""
        return self.scale_factor

    def spacing(self, one_pass: Pass) -> FlowSpacing:
        """Spacing of a flow model's noise levels in a pass; see `FlowSpacing`."""
        del one_pass
        return OWN_SPACING

    def build_scheduler(self, sampler: Sampler, one_pass: Pass, generators: Sequence[torch.Generator]) -> Any:
        """Build the scheduler for one pass of a job; see `schedulers.build_scheduler`.

        Args:
            sampler: the sampler that the request names.
            one_pass: the pass; the scheduler has all steps of its schedule.
            generators: one for each image.

        Raises:
            UnfitSampler: the sampler does not work with the model.
        """
        if sampler.kind != self.facts.kind:
            raise UnfitSampler(f"The sampler {sampler.name} does not fit this model; choose one that it offers.")
        steps, spacing = one_pass.schedule_steps, self.spacing(one_pass)
        return build_scheduler(sampler, self.scheduler_config, steps, generators, spacing=spacing)

    def release(self) -> None:  # noqa: B027 - a family may keep nothing
        """Release device memory that only serves as a cache."""

    @abstractmethod
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Encode the request's texts to tensors on the device."""

    @abstractmethod
    def predict(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        conditioning: Conditioning,
        loras: Rows = (),
        references: ReferencesOfRows = (),
    ) -> torch.Tensor:
        """Run one forward pass of the network. The prediction for a row depends on that row alone.

        Args:
            latents: [rows, c, h, w] in the latents' precision.
            timesteps: [rows], one for each row.
            conditioning: tensors with the same number of rows.
            loras: LoRAs of each row; an empty sequence adds nothing.
            references: references of each row; an empty sequence adds none.

        Returns:
            Predictions, [rows, c, h, w] in the latents' precision.
        """

    def fallbacks(self, height: int, width: int) -> tuple[Fallback, ...]:
        """Fallbacks for a picture of this size in pixels, best first."""
        return self._autoencoder.fallbacks(height, width)

    def encode(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Encode pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w], float32 or the VAE's precision.

        Raises:
            BrokenImage: the latents hold NaN or infinity.
        """
        return self._autoencoder.encode(pixels, fallback)

    def posterior(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> Posterior:
        """Encode one picture [1, 3, H, W] from 0 to 1, float32, to the distribution of its latents.

        Raises:
            BrokenImage: the distribution holds NaN or infinity.
        """
        return self._autoencoder.posterior(pixels, fallback)

    def unscaled(self, latents: torch.Tensor) -> torch.Tensor:
        """The network's latents [n, c, h, w] with the scale and shift of the VAE."""
        return self._autoencoder.unscaled(latents)

    def decode(self, latents: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Decode finished latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32.

        Raises:
            BrokenImage: the result is no picture; see `Autoencoder.decode`.
        """
        return self._autoencoder.decode(latents, fallback)
