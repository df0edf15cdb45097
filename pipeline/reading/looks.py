"""The look of a picture whose part is to change: that part is tinted, so that a member sees it before it is drawn."""

from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageOps

from pipeline.protocol.inputs import Inpaint
from pipeline.protocol.limits import GRID_CELLS
from pipeline.protocol.reading import CleanPicture, PictureFault
from pipeline.reading.masks import ALL, grown, shrunk, where_above
from pipeline.reading.pictures import NoPicture, as_png, on_white, read_picture

MAX_LOOK_SIDE: Final = 1_024
"""Greatest side of a look in pixels; it is seen once, and sent with every press."""
_TINT: Final = (255, 40, 90)
_OPACITY: Final = 0.5
_GRID_SIDE: Final = round(GRID_CELLS**0.5)


def look(inpaint: Inpaint, mask: bytes, picture: bytes) -> tuple[CleanPicture, bytes]:
    """Tint the part of a picture that is to change; returns facts about the look and its PNG.

    Args:
        inpaint: the part.
        mask: file of the mask; empty if `inpaint` names cells.
        picture: the picture's file.

    Raises:
        NoPicture: a file is no picture within the bounds, or nothing is left of the part.
        Exception: whatever a decoder raises at a damaged file.
    """
    whole = on_white(read_picture(picture)[0])
    if max(whole.size) > MAX_LOOK_SIDE:
        whole = ImageOps.contain(whole, (MAX_LOOK_SIDE, MAX_LOOK_SIDE))
    marked = on_white(read_picture(mask)[0]).convert("L") if mask else None
    part = part_of(inpaint, marked, whole.size)
    if part.getbbox() is None:
        raise NoPicture(PictureFault.UNMARKED)
    tinted = Image.blend(whole, Image.new("RGB", whole.size, _TINT), _OPACITY)
    whole.paste(tinted, mask=part)
    return CleanPicture(width=whole.width, height=whole.height), as_png(whole)


def part_of(inpaint: Inpaint, marked: Image.Image | None, size: tuple[int, int]) -> Image.Image:
    """The mask of a part at a size in pixels, as `pipeline.images.canvas` finds it for a picture of that shape.

    Args:
        inpaint: the part; not margins.
        marked: gray picture whose white part it is; None for cells.
        size: width and height.
    """
    if marked is None:
        part = _cells(inpaint.cells, size)
    else:
        part = where_above(marked.resize(size, Image.Resampling.BILINEAR), ALL // 2)
    if inpaint.is_inverted:
        part = ImageChops.invert(part)
    radius = round(inpaint.grow * min(size))
    return grown(part, radius) if radius >= 0 else shrunk(part, -radius)


def _cells(cells: tuple[int, ...], size: tuple[int, int]) -> Image.Image:
    part = Image.new("L", size)
    draw = ImageDraw.Draw(part)
    columns, rows = ([-(-side * at // _GRID_SIDE) for at in range(_GRID_SIDE + 1)] for side in size)
    for cell in cells:
        row, column = divmod(cell, _GRID_SIDE)
        draw.rectangle((columns[column], rows[row], columns[column + 1] - 1, rows[row + 1] - 1), fill=ALL)
    return part
