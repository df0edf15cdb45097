"""The color and the number of things on plain paper, measured without any learning."""

from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy import ndimage

from recipes.pocket import world

_PAPER: Final = 40
"""Distance in sRGB from the paper's color, 0 to 255 a channel, above which a pixel belongs to a thing."""

_WHITE: Final = 215
"""Of 255, what every channel of white exceeds."""

_WHITE_PART: Final = 0.8
"""Part of a picture's edge that has to be white for it to lie on white paper."""

_LEAST: Final = 50
"""Pixels that a thing of a 64 x 64 picture covers at least; less is dirt."""

_TO_LAB: Final = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


def thing_mask(picture: Image.Image) -> NDArray[np.bool_]:
    """Which pixels of an RGB picture differ from its paper, whose color is that of most of the edge: [h, w]."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.int32)
    paper = np.median(_edge(pixels), axis=0)
    return np.abs(pixels - paper).max(-1) > _PAPER


def overlap(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures' outlines have in common, wherever their things stand: 1 if they are the same, else less.

    It is the share of what both cover in what either covers (Jaccard's index); two empty pictures are the same.
    """
    first, second = thing_mask(one), thing_mask(other)
    covered = (first | second).sum()
    return float((first & second).sum() / covered) if covered else 1.0


def is_on_white(picture: Image.Image) -> bool:
    """A picture's edge is white for the most part, so that there is plain paper and no place."""
    return float((_edge(np.asarray(picture.convert("RGB"))).min(-1) > _WHITE).mean()) > _WHITE_PART


def _edge(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels [count, 3] of [h, w, 3]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def count(picture: Image.Image) -> int:
    """How many things lie on plain paper: parts a pixel apart belong together, things that touch are told apart.

    Of the ways to measure that were tried on drawings, this one was right most often.
    """
    padded = np.pad(thing_mask(picture), 4)
    closed = np.asarray(ndimage.binary_closing(padded), dtype=np.bool_)
    cores = np.asarray(ndimage.binary_erosion(ndimage.binary_fill_holes(closed), iterations=2), dtype=np.bool_)
    return max(_parts(closed), _parts(cores))


def _parts(mask: NDArray[np.bool_]) -> int:
    """Connected parts, over corners too, that are not dirt."""
    labels, _ = cast("tuple[NDArray[np.int32], int]", ndimage.label(mask, structure=np.ones((3, 3))))
    sizes = np.bincount(labels[mask], minlength=1)
    return int((sizes > _LEAST).sum())


def color(picture: Image.Image) -> str:
    """The name in `world.COLORS` that most pixels of the things are nearest to, in CIELAB; "" on an empty picture."""
    mask = np.asarray(ndimage.binary_erosion(thing_mask(picture)), dtype=np.bool_)
    if not mask.any():
        return ""
    return next(iter(color_shares(np.asarray(picture.convert("RGB"))[mask])))


def color_shares(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Which part of some pixels [count, 3], at least one, is nearest to which of `world.COLORS`, the most first."""
    names = list(world.COLORS)
    palette = Image.new("RGB", (len(names), 1))
    palette.putdata(list(world.COLORS.values()))
    wanted, seen = _lab(palette)[0], _lab(Image.fromarray(pixels[None]))[0]
    # Lightness counts half: shades of a color are that color.
    distances = ((seen[:, None] - wanted[None]) ** 2 * np.array([0.25, 1.0, 1.0])).sum(-1)
    counts = np.bincount(distances.argmin(1), minlength=len(names))
    return {names[index]: float(counts[index] / len(pixels)) for index in np.argsort(-counts, kind="stable")}


def _lab(picture: Image.Image) -> NDArray[np.float32]:
    """CIELAB [h, w, 3]."""
    converted = ImageCms.applyTransform(picture, _TO_LAB)
    assert converted is not None  # noqa: S101 - it is only where a picture is changed in place
    values = np.asarray(converted).astype(np.float32)
    # Pillow keeps lightness as 0 to 255 for 0 to 100, and both others as signed bytes.
    signed = (values[..., 1:] + 128) % 256 - 128
    return np.dstack([values[..., :1] * (100 / 255), signed])
