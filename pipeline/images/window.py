"""The window of a picture that is drawn at a job's size, and shrunk or enlarged back into its place.

It lies around a small part ("only masked"), or it holds a new margin and the picture beside it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.images.canvas import Canvas, Mask

_SURROUNDINGS: Final = 1 / 8
"""Surroundings in the window on each side of the part, as a fraction of the shorter side of the whole."""
SMALL: Final = 1 / 2
"""Greatest fraction of the whole that the window around a small part covers. A larger one shows little more detail, and
hides the rest.
"""
_OPAQUE: Final = 255


@dataclass(slots=True, frozen=True)
class Window:
    """A rectangle of a canvas, in pixels; its last column is the one before `right`."""

    left: int
    top: int
    right: int
    bottom: int

    def scaled(self, factor: float) -> "Window":
        """The same window of a canvas that is larger by a factor."""
        return Window(*(round(side * factor) for side in (self.left, self.top, self.right, self.bottom)))

    def cut(self, canvas: Canvas, width: int, height: int) -> Canvas:
        """The window of a canvas, at a size in pixels."""
        box = (self.left, self.top, self.right, self.bottom)
        picture = canvas.picture.crop(box).resize((width, height), Image.Resampling.LANCZOS)
        mask = Image.fromarray(canvas.mask.astype(np.uint8) * _OPAQUE).crop(box)
        mask = mask.resize((width, height), Image.Resampling.LANCZOS)
        return Canvas(picture, np.asarray(mask) > _OPAQUE // 2)


def window_of(mask: Mask, ratio: float | None = None, most: float = SMALL) -> Window | None:
    """The window around a mask's part; None if there is no part, or if the window would be too large.

    The arithmetic is that of `get_crop_region` of diffusers' image processor, with the option `padding_mask_crop`.

    Args:
        mask: the mask.
        ratio: width of the window by its height, as far as the mask is large enough; None is that of the mask.
        most: greatest fraction of the mask that the window covers.
    """
    height, width = mask.shape
    if not mask.any():
        return None
    pad = round(_SURROUNDINGS * min(width, height))
    (left, right), (top, bottom) = (_span(np.flatnonzero(mask.any(axis)), pad, mask.shape[1 - axis]) for axis in (0, 1))
    wanted = width / height if ratio is None else ratio
    if (right - left) / (bottom - top) > wanted:
        top, bottom = _widened(top, bottom, int((right - left) / wanted - (bottom - top)), height)
    else:
        left, right = _widened(left, right, int((bottom - top) * wanted - (right - left)), width)
    if (right - left) * (bottom - top) > most * width * height:
        return None
    return Window(left, top, right, bottom)


def _span(places: npt.NDArray[np.intp], pad: int, most: int) -> tuple[int, int]:
    """First place and the one after the last, with a padding that stays within the line."""
    return max(0, int(places[0]) - pad), min(most, int(places[-1]) + 1 + pad)


def _widened(first: int, end: int, more: int, most: int) -> tuple[int, int]:
    """A span that is longer by `more`, on both sides if there is room."""
    first, end = first - more // 2, end + more - more // 2
    first, end = (first - max(0, end - most), min(end, most))
    return (0, min(end - first, most)) if first < 0 else (first, end)
