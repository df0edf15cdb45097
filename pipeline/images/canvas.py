"""Lays an init image out at a job's size, and finds the part of it that is drawn anew.

A mask is an array [H, W], True where the picture is drawn anew.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from pipeline.images.decode import fitted
from pipeline.protocol import limits
from pipeline.protocol.inputs import Inpaint, Outpaint

Mask = npt.NDArray[np.bool_]

_GRID_SIDE: Final = round(limits.GRID_CELLS**0.5)
_WHITE: Final = 255


@dataclass(slots=True, frozen=True, eq=False)
class Canvas:
    """A picture at a job's size.

    Attributes:
        picture: the init image in RGB; its edge pixels fill the margins.
        mask: the part that is drawn anew, [H, W].
    """

    picture: Image.Image
    mask: Mask


def canvas_of(picture: Image.Image, mask: Image.Image | None, inpaint: Inpaint, width: int, height: int) -> Canvas:
    """Lay a picture out at a size in pixels.

    Without margins, the picture is cropped around its center to fill the size. With margins, all of it stays; where the
    size has another shape than the picture with its margins, the margins become wider.

    Args:
        picture: the init image in RGB.
        mask: picture whose white part is drawn anew; None when the request names cells or margins. It covers the whole
            init image, whatever its own size.
        inpaint: the part that is drawn anew.
        width: width of the canvas.
        height: its height.
    """
    if inpaint.outpaint is not None:
        return _with_margins(picture, inpaint.outpaint, width, height)
    marked = _cells(picture.size, inpaint.cells) if mask is None else mask.convert("L")
    if marked.size != picture.size:
        marked = marked.resize(picture.size, Image.Resampling.BILINEAR)
    # Binarized at one half, as diffusers' mask processor does it.
    found = np.asarray(ImageOps.fit(marked, (width, height), Image.Resampling.BILINEAR)) > _WHITE // 2
    found = found != inpaint.is_inverted
    radius = round(inpaint.grow * min(width, height))
    return Canvas(fitted(picture, width, height), grown(found, radius))


def grown(mask: Mask, radius: int) -> Mask:
    """Mask whose part is larger by `radius` pixels on every side; a negative radius makes it smaller."""
    if radius < 0:
        return ~grown(~mask, -radius)
    return softened(mask, radius) > 0


def softened(mask: Mask, radius: int) -> npt.NDArray[np.float32]:
    """Share of a mask's part in the square of 2 x radius + 1 pixels around each pixel; edges repeat outwards."""
    side = 2 * radius + 1
    counts = np.pad(mask, radius, mode="edge").astype(np.int32)
    for axis in (0, 1):
        # Sums from the start of a line; two of them differ by the sum of the pixels in between.
        sums = counts.cumsum(axis, dtype=np.int32).swapaxes(0, axis)
        within = sums[side - 1 :].copy()
        within[1:] -= sums[:-side]
        counts = within.swapaxes(0, axis)
    return counts.astype(np.float32) / np.float32(side**2)


def _cells(size: tuple[int, int], cells: tuple[int, ...]) -> Image.Image:
    """Mask with these cells of the grid in white."""
    width, height = size
    columns, rows = (np.arange(side) * _GRID_SIDE // side for side in (width, height))
    is_drawn = np.isin(rows[:, None] * _GRID_SIDE + columns, cells)
    return Image.fromarray(is_drawn.astype(np.uint8) * _WHITE)


def _with_margins(picture: Image.Image, outpaint: Outpaint, width: int, height: int) -> Canvas:
    whole_width = picture.width * (1 + outpaint.left + outpaint.right)
    whole_height = picture.height * (1 + outpaint.top + outpaint.bottom)
    scale = min(width / whole_width, height / whole_height)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    left = _start((width - whole_width * scale) / 2 + outpaint.left * picture.width * scale, width - inner[0])
    top = _start((height - whole_height * scale) / 2 + outpaint.top * picture.height * scale, height - inner[1])
    right, bottom = width - left - inner[0], height - top - inner[1]
    inside = np.asarray(fitted(picture, *inner))
    filled = np.pad(inside, ((top, bottom), (left, right), (0, 0)), mode="edge")
    mask = np.ones((height, width), dtype=np.bool_)
    mask[top : top + inner[1], left : left + inner[0]] = False
    return Canvas(Image.fromarray(filled), mask)


def _start(exact: float, most: int) -> int:
    """First pixel of the inner picture along one side."""
    return min(max(0, round(exact)), most)
