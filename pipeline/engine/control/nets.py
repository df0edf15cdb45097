"""Control networks on their device: ControlNet, its union of several kinds of pictures, and T2I-Adapter."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import nn
from torch.nn.functional import pad

from pipeline.engine.control.union import separate_rows
from pipeline.engine.device.acceleration import prepare, runner_of
from pipeline.engine.device.placement import Placement

_HINT: Final = "hint"
_TEXT: Final = ("prompt_embeds", "text_embeds", "time_ids")
"""Conditioning that a ControlNet reads; a distilled U-Net's guidance scale is not among it."""
_REPEATED: Final = ["BasicTransformerBlock"]
"""Blocks that torch compiles, as those of the U-Net."""


class ControlModule:
    """A ControlNet's network, prepared for rows of several jobs.

    Args:
        module: a `ControlNetModel` or `ControlNetUnionModel` in evaluation mode on its device.
        placement: device and precision.

    Attributes:
        placement: device and precision.
        network: the network, without the embedding of its picture.
        embedding: the embedding of its picture.
        is_bgr: True when the embedding reads channels in the order blue, green, red.
        is_pooling: True when its residuals have no place in the picture (shuffle).
    """

    def __init__(self, module: Any, placement: Placement) -> None:
        self.placement: Final = placement
        self.network: Final = module
        self.embedding: Final[Any] = module.controlnet_cond_embedding
        self.is_bgr: Final = module.config.controlnet_conditioning_channel_order == "bgr"
        self.is_pooling: Final = bool(module.config.global_pool_conditions)
        # The hint is the same in every step, so the network gets it ready-made, with its channels in order. Residuals
        # that are pooled keep their size here, because those of several nets are added up.
        module.controlnet_cond_embedding = nn.Identity()
        module.register_to_config(controlnet_conditioning_channel_order="rgb", global_pool_conditions=False)
        separate_rows(module)
        module._repeated_blocks = _REPEATED  # noqa: SLF001 - diffusers reads the attribute and forgot it here
        prepare(module, placement)


class ControlNet:
    """A ControlNet, whose residuals the U-Net adds to its own skip connections in every step.

    Its network runs separately from the U-Net's, so its row counts are measured separately too. It has the same
    `predict` as a step adapter for that: a prediction holds all residuals of a row.

    Args:
        module: its network. A union is a ControlNet for each kind of picture, all with the same network.
        key: its name among all ControlNets.
        union_type: index of the kind of picture that a union is given; None for a plain ControlNet.

    Attributes:
        key: its name among all ControlNets.
        is_pooling: True when its residuals have no place in the picture (shuffle); such a net always runs in guess
            mode.
    """

    def __init__(self, module: ControlModule, *, key: str, union_type: int | None = None) -> None:
        self.key: Final = key
        self._module = module.network
        self._placement = module.placement
        self._union_type = union_type
        self._embedding = module.embedding
        self._is_bgr = module.is_bgr
        self.is_pooling: Final = module.is_pooling
        self._forward = runner_of(self._module, self._plain, self._placement)
        self._shapes: dict[tuple[int, ...], list[torch.Size]] = {}

    @property
    def network(self) -> nn.Module:
        """The network, without the embedding of its picture."""
        return self._module

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return self._module, self._embedding

    @property
    def config(self) -> Any:
        """Configuration of the network in diffusers."""
        return self._module.config

    @property
    def residual_count(self) -> int:
        """Number of residuals: one for each skip connection of the U-Net, and one for its middle block."""
        return len(self._module.controlnet_down_blocks) + 1

    def scales(self, scale: float, *, is_guess: bool) -> tuple[float, ...]:
        """Factor of each residual. Guess mode weakens the outer blocks, as diffusers does, in float32."""
        if not is_guess or self.is_pooling:
            return (scale,) * self.residual_count
        return tuple((torch.logspace(-1, 0, self.residual_count) * scale).tolist())

    @torch.inference_mode()
    def hint(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features [1, c, h, w] of a control picture [1, 3, H, W] from 0 to 1; they are the same in every step."""
        given = pixels.to(self._placement.device, self._placement.dtype)
        return self._embedding(given.flip(1) if self._is_bgr else given)

    def conditioning(self, conditioning: Mapping[str, torch.Tensor], hint: torch.Tensor) -> dict[str, torch.Tensor]:
        """What a row of this network reads, of what the U-Net's row reads."""
        return {_HINT: hint, **{name: conditioning[name] for name in _TEXT if name in conditioning}}

    @torch.inference_mode()
    def predict(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        conditioning: Mapping[str, torch.Tensor],
        loras: Sequence[object] = (),
        references: Sequence[object] = (),
    ) -> torch.Tensor:
        """Run one forward pass.

        Args:
            latents: [rows, c, h, w], those of the U-Net's rows.
            timesteps: [rows], one for each row.
            conditioning: see `conditioning`, with the same number of rows.
            loras: ignored, because LoRAs change the U-Net alone.
            references: ignored, as LoRAs are.

        Returns:
            All residuals of each row one after the other, [rows, numbers].
        """
        del loras, references
        return self._forward({"latents": latents.to(self._placement.dtype), "timesteps": timesteps, **conditioning})

    def residuals(self, prediction: torch.Tensor, latents: torch.Tensor) -> list[torch.Tensor]:
        """The residuals of a prediction [rows, numbers] for latents of a known size, [rows, c, h, w] each."""
        shapes = self._shapes[_size(latents)]
        parts = prediction.split([shape.numel() for shape in shapes], dim=1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, shapes, strict=True)]

    def _plain(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        latents = inputs["latents"]
        added = {name: inputs[name] for name in _TEXT[1:] if name in inputs}
        down, middle = self._module(
            latents,
            inputs["timesteps"],
            encoder_hidden_states=inputs[_TEXT[0]],
            added_cond_kwargs=added or None,
            return_dict=False,
            **self._picture(inputs[_HINT]),
        )
        parts: list[torch.Tensor] = [*down, middle]
        if self.is_pooling:
            parts = [part.mean((2, 3), keepdim=True).expand_as(part) for part in parts]
        self._shapes[_size(latents)] = [torch.Size(map(int, part.shape[1:])) for part in parts]
        return torch.cat([part.flatten(1) for part in parts], dim=1)

    def _picture(self, hint: torch.Tensor) -> dict[str, Any]:
        """Arguments for the picture; a union also gets its kind."""
        if self._union_type is None:
            return {"controlnet_cond": hint}
        kinds = hint.new_zeros(len(hint), self.config.num_control_type)
        kinds[:, self._union_type] = 1
        return {"controlnet_cond": [hint], "control_type": kinds, "control_type_idx": [self._union_type]}


class Adapter:
    """A T2I-Adapter, whose features the U-Net adds inside its blocks. It runs once a job.

    Args:
        module: a `T2IAdapter` in evaluation mode on its device.
        placement: device and precision.
    """

    def __init__(self, module: Any, placement: Placement) -> None:
        self._module = module
        self._placement = placement

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        return (self._module,)

    @property
    def config(self) -> Any:
        """Configuration of the network in diffusers."""
        return self._module.config

    @property
    def is_gray(self) -> bool:
        """True when it reads gray pictures."""
        return int(self.config.in_channels) == 1

    @torch.inference_mode()
    def features(self, pixels: torch.Tensor, scale: float) -> tuple[torch.Tensor, ...]:
        """Features [1, c, h, w] of a control picture [1, 3, H, W] from 0 to 1, times `scale`."""
        multiple = self._module.downscale_factor
        height, width = pixels.shape[2:]
        filled = pad(pixels, (0, -width % multiple, 0, -height % multiple))
        given = filled[:, : self.config.in_channels].to(self._placement.device, self._placement.dtype)
        return tuple(feature * scale for feature in self._module(given))


def _size(latents: torch.Tensor) -> tuple[int, ...]:
    # While a network is traced, sizes are tensors.
    return tuple(map(int, latents.shape[2:]))
