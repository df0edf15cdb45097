"""The network of an IP-Adapter: a picture's features become image tokens, and these become keys and values."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file
from torch import nn

from pipeline.engine.failures import blaming
from pipeline.engine.references.files import IMAGE_PROJECTION, KEY, VALUE, look_through
from pipeline.engine.weights.finite import check_numbers


class ReferenceNetwork(nn.Module):
    """An adapter's own weights; the U-Net and the image encoder are not part of it.

    Args:
        path: its file.

    Raises:
        ModelUnavailable: see `look_through`; also when a weight is NaN or infinite.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.facts = look_through(path)
        title = f"The reference adapter {path.name} cannot be loaded"
        with blaming(title), torch.inference_mode(mode=False):
            state = load_file(path)
            self.projection: Any = _projection(state)
            self.keys = nn.ModuleList(_linear(state, KEY))
            self.values = nn.ModuleList(_linear(state, VALUE))
            self.eval().requires_grad_(requires_grad=False)
        check_numbers({"network": self}, f"of the reference adapter {path.name}")

    @property
    def reads_hidden_states(self) -> bool:
        """True for an adapter that reads the image encoder's hidden states, and not its one vector."""
        return self.facts.kind != "plain"

    def tokens(self, features: torch.Tensor) -> torch.Tensor:
        """Image tokens [1, tokens, text features] of one picture's features."""
        return self.projection(features)

    def attended(self, tokens: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Keys and values of each layer, [1, tokens, features] each, in the file's order."""
        return [(key(tokens), value(tokens)) for key, value in zip(self.keys, self.values, strict=True)]


def _projection(state: dict[str, torch.Tensor]) -> nn.Module:
    """Image projection in diffusers' own class, with the weights of a file."""
    start = IMAGE_PROJECTION
    found = {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
    convert: Any = UNet2DConditionModel._convert_ip_adapter_image_proj_to_diffusers  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the only reader of these names; it uses nothing of a U-Net
    return convert(None, found, low_cpu_mem_usage=False)


def _linear(state: dict[str, torch.Tensor], part: str) -> list[nn.Linear]:
    """Linear layers without bias from the tensors of this part, in the order of the layers' numbers."""
    named = {int(name.split(".")[1]): tensor for name, tensor in state.items() if name.endswith(f".{part}.weight")}
    layers: list[nn.Linear] = []
    for _, weight in sorted(named.items()):
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
        layer.weight = nn.Parameter(weight, requires_grad=False)
        layers.append(layer)
    return layers
