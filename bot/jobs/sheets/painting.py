"""One picture of all pictures of a sheet, each below its label. This blocks: call it in a thread."""

import io
from collections.abc import Sequence
from typing import Final

import msgspec
from PIL import Image, ImageDraw, ImageFont

CELL: Final = 384
"""Longest side in pixels of a cell's picture. 36 of them at this size take about 2 MB."""
_LEAST_WIDTH: Final = 128
"""Room for labels above small pictures."""
_GAP: Final = 8
_FONT: Final = 18
_LINE: Final = 22
_INK: Final = (219, 222, 225)
_PAPER: Final = (43, 45, 49)
_EMPTY: Final = (64, 66, 73)
_QUALITY: Final = 90
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
"""The formats that the worker writes."""
_LAST_LATIN: Final = 0x24F
"""Pillow's own font has letters up to this one."""
_ELLIPSIS: Final = "..."


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell: its labels, its picture if it has one, and a word for its state if it has none."""

    labels: tuple[str, ...]
    picture: bytes | None
    state: str = ""


def painted(cells: Sequence[Cell], columns: int, sides: tuple[int, int]) -> bytes:
    """The sheet as WebP.

    Args:
        cells: the cells, row by row.
        columns: cells side by side.
        sides: greatest width and height in pixels of the pictures, whose shape the cells have.
    """
    scale = min(1.0, CELL / max(sides))
    width, height = max(_LEAST_WIDTH, round(sides[0] * scale)), max(1, round(sides[1] * scale))
    lines = max(len(cell.labels) for cell in cells)
    rows = -(-len(cells) // columns)
    tall = height + lines * _LINE + _GAP
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, rows * tall + _GAP), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        left, top = _GAP + column * (width + _GAP), _GAP + row * tall
        for line, label in enumerate(cell.labels):
            pen.text((left, top + line * _LINE), _fitting(label, width, font), font=font, fill=_INK)
        top += lines * _LINE
        if cell.picture is None:
            pen.rectangle((left, top, left + width - 1, top + height - 1), fill=_EMPTY)
            pen.text((left + _GAP, top + _GAP), _fitting(cell.state, width - 2 * _GAP, font), font=font, fill=_INK)
        else:
            picture = _small(cell.picture, (width, height))
            sheet.paste(picture, (left + (width - picture.width) // 2, top + (height - picture.height) // 2))
    file = io.BytesIO()
    sheet.save(file, "WEBP", quality=_QUALITY, method=4)
    return file.getvalue()


def is_drawable(words: str) -> bool:
    """Whether the font has every letter of a label. Any other label is told in the message alone."""
    return all(ord(letter) <= _LAST_LATIN for letter in words)


def _small(data: bytes, sides: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail(sides, Image.Resampling.LANCZOS)
    return picture


def _fitting(words: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The words, cut to the width of a cell."""
    if font.getlength(words) <= width:
        return words
    while words and font.getlength(words + _ELLIPSIS) > width:
        words = words[:-1]
    return words + _ELLIPSIS
