"""Measurements of things on plain paper: outline, number and color. Nothing is learnt."""

from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy import ndimage

from recipes.pocket import world

_PAPER: Final = 40
"""Least distance from the paper's color, in sRGB values of 0 to 255, of a pixel that belongs to a thing."""

_WHITE: Final = 215
"""Every channel of a white pixel exceeds this, of 255."""

_WHITE_PART: Final = 0.8
"""Least white share of the edge of a picture on white paper."""

_LEAST: Final = 50
"""Least number of pixels of a thing in a 64 x 64 picture; smaller parts are dirt."""

_TO_LAB: Final = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")


def thing_mask(picture: Image.Image) -> NDArray[np.bool_]:
    """Mask [h, w] of the pixels that differ from the paper. The paper's color is the median of the edge."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.int32)
    paper = np.median(_edge(pixels), axis=0)
    return np.abs(pixels - paper).max(-1) > _PAPER


def overlap(one: Image.Image, other: Image.Image) -> float:
    """Jaccard index of the masks of two pictures: 0 for disjoint ones, 1 for equal ones and for two empty pictures."""
    first, second = thing_mask(one), thing_mask(other)
    covered = (first | second).sum()
    return float((first & second).sum() / covered) if covered else 1.0


def is_on_white(picture: Image.Image) -> bool:
    """Whether most of a picture's edge is white: plain paper and no place."""
    return float((_edge(np.asarray(picture.convert("RGB"))).min(-1) > _WHITE).mean()) > _WHITE_PART


def _edge(pixels: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels [count, 3] of a picture [h, w, 3]."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def count(picture: Image.Image) -> int:
    """The number of things on plain paper.

    Closing joins parts that are a pixel apart; erosion separates things that touch. Of the methods that were tried on
    drawings, this one was right most often.
    """
    padded = np.pad(thing_mask(picture), 4)
    closed = np.asarray(ndimage.binary_closing(padded), dtype=np.bool_)
    cores = np.asarray(ndimage.binary_erosion(ndimage.binary_fill_holes(closed), iterations=2), dtype=np.bool_)
    return max(_parts(closed), _parts(cores))


def _parts(mask: NDArray[np.bool_]) -> int:
    """The number of 8-connected parts, without dirt."""
    labels, _ = cast("tuple[NDArray[np.int32], int]", ndimage.label(mask, structure=np.ones((3, 3))))
    sizes = np.bincount(labels[mask], minlength=1)
    return int((sizes > _LEAST).sum())


def color(picture: Image.Image) -> str:
    """The most frequent color of the things, a name of `world.COLORS`; "" for an empty picture."""
    mask = np.asarray(ndimage.binary_erosion(thing_mask(picture)), dtype=np.bool_)
    if not mask.any():
        return ""
    return next(iter(color_shares(np.asarray(picture.convert("RGB"))[mask])))


def color_shares(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """The share of each of `world.COLORS` among pixels [count, 3], the greatest first.

    A pixel counts for the color that is nearest in CIELAB. There must be at least one pixel.
    """
    names = list(world.COLORS)
    palette = Image.new("RGB", (len(names), 1))
    palette.putdata(list(world.COLORS.values()))
    wanted, seen = _lab(palette)[0], _lab(Image.fromarray(pixels[None]))[0]
    # Lightness counts half, so that shades of a color count as that color.
    distances = ((seen[:, None] - wanted[None]) ** 2 * np.array([0.25, 1.0, 1.0])).sum(-1)
    counts = np.bincount(distances.argmin(1), minlength=len(names))
    return {names[index]: float(counts[index] / len(pixels)) for index in np.argsort(-counts, kind="stable")}


def _lab(picture: Image.Image) -> NDArray[np.float32]:
    """The picture in CIELAB [h, w, 3]."""
    converted = ImageCms.applyTransform(picture, _TO_LAB)
    assert converted is not None  # noqa: S101 - it is only where a picture is changed in place
    values = np.asarray(converted).astype(np.float32)
    # Pillow stores lightness as 0 to 255 instead of 0 to 100, and a and b as signed bytes.
    signed = (values[..., 1:] + 128) % 256 - 128
    return np.dstack([values[..., :1] * (100 / 255), signed])
