"""Pastes the untouched part of an init image back into the drawn picture, because the VAE changes every pixel."""

from typing import Final

import torch
from PIL import Image

from pipeline.images.canvas import Canvas, canvas_of, grown, softened
from pipeline.images.decode import to_pixels
from pipeline.protocol.requests import Inpaint

_GROWTH: Final = 3
_SOFTENING: Final = 2
"""The drawn part fades out over the sum of both in pixels, outwards of its mask."""


class Paste:
    """An init image and the part of it that is drawn anew.

    Args:
        picture: the init image in RGB.
        mask: picture whose white part is drawn anew; None when `inpaint` names the part.
        inpaint: the part.
    """

    def __init__(self, picture: Image.Image, mask: Image.Image | None, inpaint: Inpaint) -> None:
        self._picture = picture
        self._mask = mask
        self._inpaint = inpaint
        self._layers: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}

    def canvas(self, width: int, height: int) -> Canvas:
        """The init image at a size in pixels; see `canvas_of`."""
        return canvas_of(self._picture, self._mask, self._inpaint, width, height)

    def onto(self, pixels: torch.Tensor) -> torch.Tensor:
        """Paste the init image over drawn pixels [1, 3, H, W] from 0 to 1, except for the part that is drawn anew.

        Pixels further than 8 pixels from that part are exactly those of the init image at this size.
        """
        height, width = pixels.shape[2:]
        if (width, height) not in self._layers:
            canvas = self.canvas(width, height)
            opacity = torch.from_numpy(softened(grown(canvas.mask, _GROWTH), _SOFTENING))
            self._layers[width, height] = to_pixels(canvas.picture), opacity
        known, opacity = (layer.to(pixels) for layer in self._layers[width, height])
        return known + opacity * (pixels - known)
