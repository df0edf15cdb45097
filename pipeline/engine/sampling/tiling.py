"""Tiles of a picture as rows of a forward pass, and their predictions as one picture again."""

from collections.abc import Sequence
from typing import Final

import torch

from pipeline.protocol.inputs import starts
from pipeline.protocol.passes import Pass


class Tiling:
    """The tiles of one pass, in latents.

    Where tiles overlap, their predictions are averaged at every step (MultiDiffusion, https://arxiv.org/abs/2302.08113,
    equation 5). The weight of a tile falls linearly towards its edges, so that no seam shows. The sampler steps the
    whole picture, with noise of the whole picture.

    Args:
        drawn: a pass with tiles.
        scale_factor: pixels of a latent along a side.
        like: latents, whose device and precision the weights have.
    """

    def __init__(self, drawn: Pass, scale_factor: int, like: torch.Tensor) -> None:
        if drawn.tiles is None:
            raise AssertionError("The pass has no tiles.")
        height, width, self._height, self._width, overlap = (
            side // scale_factor
            for side in (drawn.height, drawn.width, drawn.tiles.height, drawn.tiles.width, drawn.tiles.overlap)
        )
        tops, lefts = starts(height, self._height, overlap), starts(width, self._width, overlap)
        self._corners: Final = [(top, left) for top in tops for left in lefts]
        down, across = _weights(height, self._height, tops, overlap), _weights(width, self._width, lefts, overlap)
        self._weights: Final = [
            (one[:, None] * other[None, :]).to(like.device, like.dtype) for one in down for other in across
        ]

    def cut(self, picture: torch.Tensor) -> torch.Tensor:
        """The tiles of latents [n, c, h, w], all of the first image first: [n x tiles, c, tile height, tile width]."""
        return torch.stack([self._at(picture, corner) for corner in self._corners], dim=1).flatten(0, 1)

    def joined(self, tiles: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Predictions of tiles in the order of `cut`, averaged to pictures with the shape of `like`, [n, c, h, w]."""
        picture = self._weights[0].new_zeros(like.shape)
        for number, (corner, weight) in enumerate(zip(self._corners, self._weights, strict=True)):
            self._at(picture, corner).add_(tiles[number :: len(self._corners)] * weight)
        return picture.to(tiles.dtype)

    def _at(self, picture: torch.Tensor, corner: tuple[int, int]) -> torch.Tensor:
        top, left = corner
        return picture[..., top : top + self._height, left : left + self._width]


def tiling_of(drawn: Pass, scale_factor: int, like: torch.Tensor) -> Tiling | None:
    """The tiles of a pass; None if it draws the picture as a whole. The arguments are those of `Tiling`."""
    return None if drawn.tiles is None else Tiling(drawn, scale_factor, like)


def _weights(length: int, tile: int, firsts: Sequence[int], overlap: int) -> list[torch.Tensor]:
    """Weights of each tile along one side, in float64; at every position they add up to 1."""
    position = torch.arange(tile, dtype=torch.float64) + 0.5
    falling = torch.minimum(position, tile - position).clamp(max=max(overlap, 1))
    total = torch.zeros(length, dtype=torch.float64)
    for first in firsts:
        total[first : first + tile] += falling
    return [falling / total[first : first + tile] for first in firsts]
