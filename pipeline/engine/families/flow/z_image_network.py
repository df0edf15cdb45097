"""Forward pass of Z-Image's transformer for rows with texts of different lengths.

diffusers' own `forward` takes lists and joins the tokens of all rows in one dimension. A layer that treats rows apart,
as those with LoRAs do, needs the rows as the first dimension. So the same modules are called here with rows.
"""

from typing import Any, Final

import torch
from diffusers.models.transformers.transformer_z_image import SEQ_MULTI_OF, ZImageTransformer2DModel
from torch.nn.functional import pad

TRAINED_TIMESTEPS: Final = 1000
_FRAMES: Final = 1
"""Patch size along the frames; a picture is one frame."""


class RowTransformer(ZImageTransformer2DModel):
    """The transformer with a forward pass for rows, so that hooks on the whole network see each pass."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] - rows instead of lists
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """Predict; see `predicted`."""
        return predicted(self, latents, timesteps, text, lengths)


def predicted(
    network: Any, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Velocity from the picture to the noise, as flow schedulers want it.

    A row's tokens are its patches and its text, each filled up to a multiple of 32 with a learned token. Tokens beyond
    that multiple, which only other rows have, are masked, so that a row depends on its own text alone.

    Args:
        network: a `ZImageTransformer2DModel`.
        latents: [rows, c, h, w].
        timesteps: [rows], from 1000 for noise to 0.
        text: features of each text, [rows, tokens, features]; `tokens` is a multiple of 32.
        lengths: number of tokens of each text, [rows].

    Returns:
        Predictions, [rows, c, h, w].
    """
    side = int(network.all_patch_size[0])
    height, width = latents.shape[2] // side, latents.shape[3] // side
    time = network.t_embedder((TRAINED_TIMESTEPS - timesteps) / TRAINED_TIMESTEPS * network.t_scale).to(latents)
    place = torch.arange(text.shape[1], device=latents.device)
    filled = (lengths + SEQ_MULTI_OF - 1) // SEQ_MULTI_OF * SEQ_MULTI_OF
    is_there = place < filled[:, None]
    patches = _padded(network, _patches(network, latents, side), height * width)
    at_patches = _turns(network, _patch_places(filled, patches.shape[1], height, width))
    for layer in network.noise_refiner:
        patches = layer(patches, None, at_patches, time)
    words = network.cap_embedder(text)
    words = torch.where((place < lengths[:, None])[..., None], words, network.cap_pad_token)
    at_words = _turns(network, _word_places(place, len(text)))
    for layer in network.context_refiner:
        words = layer(words, is_there, at_words)
    tokens, turns = torch.cat([patches, words], dim=1), torch.cat([at_patches, at_words], dim=1)
    mask = torch.cat([is_there.new_ones(patches.shape[:2]), is_there], dim=1)
    for layer in network.layers:
        tokens = layer(tokens, mask, turns, time)
    drawn = network.all_final_layer[f"{side}-{_FRAMES}"](tokens, c=time)[:, : height * width]
    grid = drawn.unflatten(2, (side, side, network.out_channels)).unflatten(1, (height, width))
    return -grid.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)


def _patches(network: Any, latents: torch.Tensor, side: int) -> torch.Tensor:
    """Embedded patches, [rows, height x width, features], row by row of the picture."""
    grid = latents.unflatten(3, (-1, side)).unflatten(2, (-1, side))  # [rows, c, height, side, width, side]
    return network.all_x_embedder[f"{side}-{_FRAMES}"](grid.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2))


def _padded(network: Any, patches: torch.Tensor, count: int) -> torch.Tensor:
    """Patches with learned tokens up to a multiple of 32."""
    more = -count % SEQ_MULTI_OF
    return torch.cat([patches, network.x_pad_token.expand(len(patches), more, -1)], dim=1) if more else patches


def _patch_places(filled: torch.Tensor, count: int, height: int, width: int) -> torch.Tensor:
    """Places of patches, [rows, count, 3]: behind the text, then row and column; those that fill up stand at 0."""
    down, right = torch.meshgrid(
        torch.arange(height, device=filled.device), torch.arange(width, device=filled.device), indexing="ij"
    )
    grid = torch.stack([down.flatten(), right.flatten()], dim=1).expand(len(filled), -1, -1)
    behind = (filled + 1)[:, None, None].expand(-1, height * width, 1)
    return pad(torch.cat([behind, grid], dim=2), (0, 0, 0, count - height * width))


def _word_places(place: torch.Tensor, rows: int) -> torch.Tensor:
    """Places of words, [rows, tokens, 3]: from 1 on along the first axis."""
    return pad((place + 1)[:, None], (0, 2)).expand(rows, -1, -1)


def _turns(network: Any, places: torch.Tensor) -> torch.Tensor:
    """Rotations by which attention knows the places, complex, [rows, tokens, features of a head / 2]."""
    return network.rope_embedder(places.flatten(0, 1)).unflatten(0, places.shape[:2])
