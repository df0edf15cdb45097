"""The visible label of pictures that a model made: "AI" in the lower right corner."""

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

LABEL: Final = "AI"
_PART: Final = 16
"""The label is as high as this part of the shorter side."""
_LEAST: Final = 10
"""Pixels of height below which nobody can read it."""
_GROUND: Final = (24, 24, 24)
_INK: Final = (255, 255, 255)


def labeled(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of a picture [h, w, 3 or 4] with the label. On a picture that was made larger, it covers the small one."""
    height, width, channels = rows.shape
    side = max(_LEAST, min(height, width) // _PART)
    drawn, gap = _drawn(side), side // 4
    bottom, right = max(height - gap, 1), max(width - gap, 1)
    top, left = max(bottom - drawn.shape[0], 0), max(right - drawn.shape[1], 0)
    copy = rows.copy()
    copy[top:bottom, left:right, :3] = drawn[: bottom - top, : right - left]
    if channels > 3:  # noqa: PLR2004 - red, green and blue
        copy[top:bottom, left:right, 3:] = 255
    return copy


@functools.lru_cache(maxsize=8)
def _drawn(height: int) -> NDArray[np.uint8]:
    """The label alone [height, w, 3]."""
    font = ImageFont.load_default(height * 0.8)
    left, top, right, bottom = font.getbbox(LABEL)
    ground = Image.new("RGB", (round(right - left + height * 0.6), height), _GROUND)
    at = ((ground.width - left - right) / 2, (height - top - bottom) / 2)
    ImageDraw.Draw(ground).text(at, LABEL, _INK, font)
    return np.asarray(ground)
