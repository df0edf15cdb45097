"""Pastes the untouched part of an init image back into the drawn picture, because the VAE changes every pixel."""

from typing import Final

import torch
from PIL import Image
from torch.nn.functional import interpolate

from pipeline.images.canvas import Canvas, canvas_of, grown, softened
from pipeline.images.color_fit import color_fitted
from pipeline.images.decode import to_pixels
from pipeline.images.encode import to_picture
from pipeline.images.window import SMALL, window_of
from pipeline.protocol.inputs import Inpaint

_GROWTH: Final = 3
_SOFTENING: Final = 2
"""The drawn part fades out over the sum of both in pixels, outwards of its mask."""


class Paste:
    """An init image and the part of it that is drawn anew.

    Args:
        picture: the init image in RGB.
        mask: picture whose white part is drawn anew; None when `inpaint` names the part.
        inpaint: the part.
        width: width of the job in pixels.
        height: its height.
    """

    def __init__(
        self, picture: Image.Image, mask: Image.Image | None, inpaint: Inpaint, width: int, height: int
    ) -> None:
        self._picture = picture
        self._mask = mask
        self._inpaint = inpaint
        self._width = width
        self._height = height
        self._layers: dict[tuple[int, int, bool], tuple[torch.Tensor, torch.Tensor]] = {}
        # At a multiple of the job's size, the window has the details of a larger init image.
        scale = max(1, min(picture.width // width, picture.height // height))
        self._sides = inpaint.whole or (width * scale, height * scale)
        has_window = inpaint.is_enlarged or inpaint.whole is not None
        self._large = self._whole(*self._sides) if has_window else None
        most = SMALL if inpaint.whole is None else 1.0
        self._window = None if self._large is None else window_of(self._large.mask, width / height, most)

    def canvas(self, width: int, height: int) -> Canvas:
        """What is drawn, at a size in pixels: the init image, or a window of it."""
        if self._large is None or self._window is None:
            return self._whole(width, height)
        return self._window.cut(self._large, width, height)

    @property
    def has_window(self) -> bool:
        """True when what is drawn is only a window of the picture."""
        return self._window is not None

    def shown_within(self, drawn: Image.Image) -> Image.Image:
        """A preview of what is drawn, within the whole picture. That has the job's size, or its own."""
        if self._inpaint.whole is None:
            drawn = drawn.resize((self._width, self._height), Image.Resampling.BICUBIC)
        return to_picture(self.whole(to_pixels(drawn))[0])

    def onto(self, pixels: torch.Tensor) -> torch.Tensor:
        """Paste the init image over drawn pixels [1, 3, H, W] from 0 to 1, except for the part that is drawn anew.

        Pixels further than 8 pixels from that part are exactly those of the init image at this size. The colors of the
        part are fitted to them.
        """
        known, opacity = self._layers_of(pixels, pixels.shape[3], pixels.shape[2], is_whole=self._window is None)
        return known + opacity * (color_fitted(pixels, known, opacity) - known)

    def whole(self, pixels: torch.Tensor) -> torch.Tensor:
        """The whole picture [1, 3, H, W] from pasted pixels; if there is a window, they are put into it.

        It has the size of these pixels, or its own.
        """
        if self._window is None:
            return pixels
        width, height = self._inpaint.whole or (pixels.shape[3], pixels.shape[2])
        window = self._window.scaled(width / self._sides[0])
        size = (window.bottom - window.top, window.right - window.left)
        drawn = pixels.new_zeros(1, 3, height, width)
        drawn[..., window.top : window.bottom, window.left : window.right] = interpolate(
            pixels, size, mode="bicubic", antialias=True
        ).clamp(0, 1)
        known, opacity = self._layers_of(pixels, width, height, is_whole=True)
        return known + opacity * (drawn - known)

    def _whole(self, width: int, height: int) -> Canvas:
        return canvas_of(self._picture, self._mask, self._inpaint, width, height)

    def _layers_of(
        self, like: torch.Tensor, width: int, height: int, *, is_whole: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The init image [1, 3, H, W] and how much of the drawn pixels is shown [H, W], on the device of `like`."""
        key = (width, height, is_whole)
        if key not in self._layers:
            canvas = self._whole(width, height) if is_whole else self.canvas(width, height)
            opacity = torch.from_numpy(softened(grown(canvas.mask, _GROWTH), _SOFTENING))
            self._layers[key] = to_pixels(canvas.picture), opacity
        known, opacity = (layer.to(like) for layer in self._layers[key])
        return known, opacity
