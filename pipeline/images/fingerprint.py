"""Fingerprints of pictures: the hash of the pixels, and a look that stays much alike when a file is saved anew."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.protocol.provenance.fingerprints import Fingerprint

_SIDE: Final = 64
_LOW: Final = 16
"""Rows and columns of the lowest frequencies, without the first of each, that the look compares."""
_COLOR_SIDE: Final = 8
_COLORED: Final = 130
"""Value of Cb or Cr above which a part is colored; 128 is gray."""
_MOST_SIDE: Final = 2_048
"""Longest side of which each pixel counts for the look; of a larger picture every second or further one does."""


def fingerprint(rows: NDArray[np.uint8]) -> Fingerprint:
    """The fingerprint of an RGB picture [h, w, 3].

    Two pictures have the same `pixels` only if their sizes and all of their pixels are equal.
    """
    height, width, _ = rows.shape
    pixels = hashlib.sha256(f"{width}x{height}".encode())
    pixels.update(np.ascontiguousarray(rows).data)
    return Fingerprint(pixels=pixels.hexdigest(), look=look(rows))


def look(rows: NDArray[np.uint8]) -> bytes:
    """The look of an RGB picture [h, w, 3].

    It has 384 bits: which low frequencies of a small gray picture are above their median, and which parts are colored.

    The first 256 bits are those of the discrete cosine transform, as in the perceptual hash PDQ.
    """
    step = -(-max(rows.shape[:2]) // _MOST_SIDE)
    picture = Image.fromarray(np.ascontiguousarray(rows[::step, ::step]))
    small = np.asarray(picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    low = (_COSINES @ small @ _COSINES.T)[1:, 1:]
    parts = picture.convert("YCbCr").resize((_COLOR_SIDE, _COLOR_SIDE), Image.Resampling.BOX)
    colored = np.asarray(parts)[:, :, 1:] > _COLORED
    return np.packbits(np.concatenate([(low > np.median(low)).ravel(), colored.ravel()])).tobytes()


def _cosines() -> NDArray[np.float64]:
    """The first rows [17, 64] of the discrete cosine transform (type II, orthonormal but for its first row)."""
    frequencies, places = np.arange(_LOW + 1)[:, None], np.arange(_SIDE)[None, :]
    return np.cos(np.pi * frequencies * (2 * places + 1) / (2 * _SIDE)) * np.sqrt(2 / _SIDE)


_COSINES: Final = _cosines()
