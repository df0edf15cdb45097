"""Fits the colors of a drawn part to the picture around it, because models shift colors that ought to go on."""

from typing import Final

import torch
from torch.nn.functional import conv2d, interpolate, max_pool2d

_LARGEST_SHIFT: Final = 0.15
"""A larger difference is content, for instance an object that ends at the border. It is not spread, and one that is
nearly as large counts little."""
_LEAST_SHARE: Final = 0.25
"""Where less of the border than this goes on, what goes on is no measure of the rest, and the shift is smaller."""
_SIDE: Final = 64
"""The longer side on which the shift is computed; it is smooth, so few pixels are enough."""
_BAND: Final = 96
"""The band of kept pixels beside the drawn part is the longer side divided by this."""
_SCALES: Final = (1.5, 3, 6, 12, 24)
"""Standard deviations of the Gaussians in pixels of the small picture."""


def color_fitted(pixels: torch.Tensor, known: torch.Tensor, opacity: torch.Tensor) -> torch.Tensor:
    """Shift the colors of drawn pixels so that they go on from the kept ones without an edge.

    The difference between what is kept and what was drawn there is spread from the border over the drawn part: each
    pixel takes a mean of the border's differences, in which the nearer ones count more. It is Shepard's interpolation
    as a sum of convolutions (Farbman, Fattal and Lischinski 2011, "Convolution Pyramids", section 4.2), with
    Gaussians whose weights fall with the square of their width.

    Args:
        pixels: drawn pixels [1, 3, H, W] from 0 to 1, also where the picture is kept.
        known: the picture that is kept, of the same shape.
        opacity: how much of the drawn pixels is shown [H, W]; 0 is kept.

    Returns:
        Pixels [1, 3, H, W] from 0 to 1; those of `pixels` where nothing or everything is kept.
    """
    shown = (opacity > 0).to(pixels)[None, None]
    width = max(1, max(pixels.shape[2:]) // _BAND)
    band = max_pool2d(shown, 2 * width + 1, stride=1, padding=width) - shown
    if not band.any():
        return pixels
    difference = known - pixels
    weight = band * (1 - difference.abs().amax(dim=1, keepdim=True) / _LARGEST_SHIFT).clamp(min=0)
    spread = _spread(torch.cat((difference * weight, weight, band), dim=1))
    shift = interpolate(spread, pixels.shape[2:], mode="bilinear")
    return (pixels + shift).clamp(0, 1)


def _spread(borders: torch.Tensor) -> torch.Tensor:
    """The mean difference [1, 3, h, w] around each pixel, from [1, 5, H, W]: weighted differences, weights, border."""
    factor = max(1.0, max(borders.shape[2:]) / _SIDE)
    size = [max(1, round(side / factor)) for side in borders.shape[2:]]
    small = interpolate(borders, size, mode="area")
    total = torch.stack([_blurred(small, scale) / scale**2 for scale in _SCALES]).sum(0)
    least = _LEAST_SHARE * total[:, 4:]
    return total[:, :3] / torch.maximum(total[:, 3:4], least).clamp(min=1e-12)


def _blurred(pixels: torch.Tensor, deviation: float) -> torch.Tensor:
    """Pixels [1, c, h, w] under a Gaussian; outside is 0."""
    radius = round(3 * deviation)
    offsets = torch.arange(-radius, radius + 1, dtype=pixels.dtype, device=pixels.device)
    kernel = torch.exp(-(offsets**2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum()).expand(pixels.shape[1], 1, 1, -1)
    blurred = conv2d(pixels, kernel, padding=(0, radius), groups=pixels.shape[1])
    return conv2d(blurred, kernel.transpose(2, 3), padding=(radius, 0), groups=pixels.shape[1])
