"""What the step loop needs to know of an architecture."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import torch
from torch import nn

from pipeline.engine.device.fallbacks import Fallback
from pipeline.engine.failures import UnfitSampler
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.loras.rows import RowLora, Rows
from pipeline.engine.sampling.schedulers import build_scheduler
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import Sampler, SamplerKind

Conditioning = Mapping[str, torch.Tensor]
"""Text as tensors, one row each: `prompt_embeds` [1, tokens, features] and whatever else a family names."""


class TimedConditioning(msgspec.Struct, frozen=True):
    """What a text says at each step: conditioning with the last step of each, in order."""

    parts: tuple[tuple[int, Conditioning], ...]

    def at(self, step: int) -> Conditioning:
        """For a step, counted from 1; a second pass goes on with what the first ended with."""
        return next((found for last_step, found in self.parts if step <= last_step), self.parts[-1][1])


class EncodedText(msgspec.Struct, frozen=True, kw_only=True):
    """A request's words as tensors.

    Attributes:
        positive: of the prompt.
        negative: of the negative prompt; None where guidance does not use it.
        notices: what the requester should know, such as words that did not fit.
        lora: what every row of the job adds to the model; None adds nothing.
        lora_digests: SHA-256 of the files that it was made of, by the LoRA's name.
        embedding_digests: likewise of embeddings.
    """

    positive: TimedConditioning
    negative: TimedConditioning | None
    notices: tuple[Notice, ...]
    lora: RowLora | None = None
    lora_digests: Mapping[str, str] = {}
    embedding_digests: Mapping[str, str] = {}


def modules_of(pipeline: Any) -> tuple[nn.Module, ...]:
    """Every component of a diffusers pipeline that has weights."""
    return tuple(part for part in pipeline.components.values() if isinstance(part, nn.Module))


class StepAdapter(ABC):
    """One loaded model as the step loop sees it. All methods run without gradients.

    Args:
        autoencoder: between its latents and pixels.
        pipeline: of diffusers, already on its device: its scheduler's configuration and its modules are kept.
        network: the one of its modules that computes the steps.
    """

    def __init__(self, autoencoder: Autoencoder, pipeline: Any, network: nn.Module) -> None:
        self._autoencoder = autoencoder
        self._network = network
        self._modules = modules_of(pipeline)
        self._scheduler_config: dict[str, Any] = dict(pipeline.scheduler.config)

    @property
    def network(self) -> nn.Module:
        """What computes the steps."""
        return self._network

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """Everything with weights: network, text encoders, VAE."""
        return self._modules

    @property
    def scheduler_config(self) -> Mapping[str, Any]:
        """The model's own noise schedule and prediction type."""
        return self._scheduler_config

    @property
    def latent_channels(self) -> int:
        """Channels of its latents."""
        return self._autoencoder.latent_channels

    @property
    def scale_factor(self) -> int:
        """Pixels of one latent's side."""
        return self._autoencoder.scale_factor

    @property
    def size_multiple(self) -> int:
        """Sides of a picture are multiples of this many pixels."""
        return self.scale_factor

    @property
    def sampler_kind(self) -> SamplerKind:
        """Which samplers fit it."""
        return "diffusion"

    def image_tokens(self, height: int, width: int) -> int:
        """How long a picture [height, width] in pixels is to a transformer; 0 where the schedule does not ask."""
        del height, width
        return 0

    def build_scheduler(
        self, sampler: Sampler, steps: int, generators: Sequence[torch.Generator], *, height: int, width: int
    ) -> Any:
        """A scheduler for one job's pass; see `schedulers.build_scheduler`.

        Args:
            sampler: which one.
            steps: as members count them.
            generators: one an image.
            height: of the picture in this pass, in pixels.
            width: likewise.

        Raises:
            UnfitSampler: it does not fit the model.
        """
        if sampler.kind != self.sampler_kind:
            raise UnfitSampler(f"The sampler {sampler.name} does not fit this model; choose one that it offers.")
        tokens = self.image_tokens(height, width)
        return build_scheduler(sampler, self.scheduler_config, steps, generators, image_tokens=tokens)

    def release(self) -> None:  # noqa: B027 - a family may keep nothing
        """Let go of what is kept on the device only to save time."""

    @abstractmethod
    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Turn the request's words into tensors on the device."""

    @abstractmethod
    def predict(
        self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning, loras: Rows = ()
    ) -> torch.Tensor:
        """One forward of the network. A row's answer hangs on that row alone.

        Args:
            latents: [rows, c, h, w] in the latents' precision.
            timesteps: [rows], each row at its own.
            conditioning: tensors with as many rows.
            loras: what each row adds; nothing where it is empty.

        Returns:
            [rows, c, h, w] in the latents' precision.
        """

    def fallbacks(self, height: int, width: int) -> tuple[Fallback, ...]:
        """Fallbacks for a picture of this size in pixels, the best first."""
        return self._autoencoder.fallbacks(height, width)

    def encode(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w], float32 or the VAE's precision.

        Raises:
            BrokenImage: the latents hold NaN or infinity.
        """
        return self._autoencoder.encode(pixels, fallback)

    def decode(self, latents: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Finished latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32.

        Raises:
            BrokenImage: there is no picture in them; see `Autoencoder.decode`.
        """
        return self._autoencoder.decode(latents, fallback)
