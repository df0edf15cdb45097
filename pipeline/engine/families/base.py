"""What the step loop needs to know of an architecture."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import torch

from pipeline.engine.loras.rows import RowLora, Rows
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

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
    """

    positive: TimedConditioning
    negative: TimedConditioning | None
    notices: tuple[Notice, ...]
    lora: RowLora | None = None


class StepAdapter(Protocol):
    """One loaded model as the step loop sees it. All methods run without gradients."""

    @property
    def scheduler_config(self) -> Mapping[str, Any]:
        """The model's own noise schedule and prediction type."""
        ...

    @property
    def latent_channels(self) -> int:
        """Channels of its latents."""
        ...

    @property
    def scale_factor(self) -> int:
        """Pixels of one latent's side."""
        ...

    def encode_text(self, request: GenerationRequest) -> EncodedText:
        """Turn the request's words into tensors on the device."""
        ...

    def predict(
        self, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning, loras: Rows = ()
    ) -> torch.Tensor:
        """One forward of the U-Net.

        Args:
            latents: [rows, c, h, w] in the latents' precision.
            timesteps: [rows], each row at its own.
            conditioning: tensors with as many rows.
            loras: what each row adds; nothing where it is empty.

        Returns:
            [rows, c, h, w] in the latents' precision.
        """
        ...

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w], float32 or the VAE's precision."""
        ...

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Finished latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32."""
        ...
