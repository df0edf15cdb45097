"""Maps of edges and of drawn lines: white lines on black, without a model.

Both follow what ControlNets were trained on. Only their thresholds are fixed here; the filters are scipy's.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.images.canvas import Mask

_LOW: Final = 100
_HIGH: Final = 200
"""Thresholds of Canny's gradients, those of ControlNet's own examples."""
_FINE: Final = 0.5
_COARSE: Final = 5.0
"""Standard deviations in pixels of the two blurred pictures whose difference shows lines."""
_LEAST_DARKER: Final = 16
"""Least difference of a line to its surroundings, of 255, as in the extension sd-webui-controlnet."""
_EVERY_NEIGHBOR: Final = np.ones((3, 3), dtype=bool)
_WIDE: Final = np.tan(np.pi / 8)
"""Tangent of the angle between a direction of the grid and the next one's border."""

Picture = NDArray[np.uint8]
"""An RGB picture, [H, W, 3]."""


def canny(picture: Picture) -> Mask:
    """Edges of a picture, [H, W] (Canny, 1986), as OpenCV finds them with its usual aperture of 3 and L1 gradients.

    Each pixel takes the channel with the strongest gradient. A pixel is an edge if its gradient is the greatest across
    the edge, and if it is above the high threshold or connected to such a pixel by pixels above the low one.
    """
    channels = [picture[..., channel].astype(np.int32) for channel in range(picture.shape[2])]
    across, down = (np.stack([_slope(channel, axis) for channel in channels], axis=2) for axis in (1, 0))
    strongest = (np.abs(across) + np.abs(down)).argmax(axis=2)[..., None]
    x, y = (np.take_along_axis(each, strongest, axis=2)[..., 0] for each in (across, down))
    strength = np.abs(x) + np.abs(y)
    edges = (strength > _LOW) & _is_greatest(x, y, strength)
    found: Any = ndimage.label(edges, structure=_EVERY_NEIGHBOR)
    labels, count = found
    is_strong = np.zeros(count + 1, dtype=bool)
    is_strong[np.unique(labels[edges & (strength > _HIGH)])] = True
    is_strong[0] = False
    return is_strong[labels]


def scribble(picture: Picture) -> Mask:
    """Lines that are darker than their surroundings, [H, W]: a drawing on paper, or the outlines of a photograph.

    This is a difference of two Gaussians with a threshold (XDoG; Winnemöller, Kyprianidis and Olsen, 2012).
    """
    exact = picture.astype(np.float32)
    fine, coarse = (ndimage.gaussian_filter(exact, (width, width, 0)) for width in (_FINE, _COARSE))
    return (coarse - fine).min(axis=2) > _LEAST_DARKER


def _slope(channel: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    found: Any = ndimage.sobel(channel, axis=axis, mode="nearest")
    return found


def _is_greatest(x: NDArray[np.int32], y: NDArray[np.int32], strength: NDArray[np.int32]) -> Mask:
    """Whether each pixel's gradient is the greatest among itself and its two neighbors across the edge, [H, W].

    Of two equal neighbors the later one counts, so that an edge is one pixel wide.
    """
    padded = np.pad(strength, 1)
    height, width = strength.shape

    def neighbor(down: int, right: int) -> NDArray[np.int32]:
        return padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]

    is_flat, is_steep = np.abs(y) < _WIDE * np.abs(x), np.abs(y) > np.abs(x) / _WIDE
    is_rising = (x < 0) == (y < 0)
    before = np.select(
        [is_flat, is_steep, is_rising], [neighbor(0, -1), neighbor(-1, 0), neighbor(-1, -1)], neighbor(-1, 1)
    )
    after = np.select([is_flat, is_steep, is_rising], [neighbor(0, 1), neighbor(1, 0), neighbor(1, 1)], neighbor(1, -1))
    is_tie_lost = np.where(is_flat | is_steep, strength < after, strength <= after)
    return (strength > before) & ~is_tie_lost
