"""Masks as pictures of the mode L with the values 0 and 255: they grow, shrink, and lose their holes."""

import re
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageChops, ImageFilter

ALL: Final = 255
_FREE: Final = re.compile(b"\x00+")


def where_above(gray: Image.Image, threshold: int) -> Image.Image:
    """The mask of the pixels above a value."""
    return gray.point([0] * (threshold + 1) + [ALL] * (ALL - threshold))


def grown(mask: Image.Image, radius: int) -> Image.Image:
    """The mask, wider by `radius` pixels in each direction.

    The maximum of Pillow takes time by the square of its width. A blur along one axis takes the same time for every
    width, and above 0 it is that maximum. One pixel of a window up to 509 wide still rounds to 1.
    """
    for axis in ((radius, 0), (0, radius)):
        mask = where_above(mask.filter(ImageFilter.BoxBlur(axis)), 0)
    return mask


def shrunk(mask: Image.Image, radius: int) -> Image.Image:
    """The mask, narrower by `radius` pixels in each direction."""
    return ImageChops.invert(grown(ImageChops.invert(mask), radius))


def opened(mask: Image.Image, radius: int) -> Image.Image:
    """The mask without spots and lines that are narrower than twice the radius."""
    return grown(shrunk(mask, radius), radius)


def closed(mask: Image.Image, radius: int) -> Image.Image:
    """The mask without gaps that are narrower than twice the radius. Space around it keeps its edges in place."""
    roomy = Image.new("L", (mask.width + 4 * radius, mask.height + 4 * radius))
    roomy.paste(mask, (2 * radius, 2 * radius))
    box = (2 * radius, 2 * radius, 2 * radius + mask.width, 2 * radius + mask.height)
    return shrunk(grown(roomy, radius), radius).crop(box)


def filled(mask: Image.Image) -> Image.Image:
    """The mask without holes: unmarked pixels stay only where a path over such pixels leads to the edge."""
    pixels = bytearray(mask.tobytes())
    rows = [[*_free(pixels, mask.width, row)] for row in range(mask.height)]
    for row, runs in enumerate(_outside(rows, mask.width)):
        for start, end in {*rows[row]} - runs:
            at = row * mask.width
            pixels[at + start : at + end] = bytes([ALL]) * (end - start)
    return Image.frombytes("L", mask.size, bytes(pixels))


Run = tuple[int, int]


def _free(pixels: bytearray, width: int, row: int) -> Iterator[Run]:
    """The runs of unmarked pixels in a row: first column, and the column behind the last."""
    at = row * width
    return ((found.start() - at, found.end() - at) for found in _FREE.finditer(pixels, at, at + width))


def _outside(rows: list[list[Run]], width: int) -> list[set[Run]]:
    """The runs of each row from which a path leads to the edge."""
    last = len(rows) - 1
    found = [
        {run for run in runs if row in (0, last) or run[0] == 0 or run[1] == width} for row, runs in enumerate(rows)
    ]
    waiting = [(row, run) for row, runs in enumerate(found) for run in runs]
    while waiting:
        row, (start, end) = waiting.pop()
        for beside in (row - 1, row + 1):
            if not 0 <= beside <= last:
                continue
            for run in rows[beside]:
                if run[0] >= end:
                    break
                if run[1] > start and run not in found[beside]:
                    found[beside].add(run)
                    waiting.append((beside, run))
    return found
