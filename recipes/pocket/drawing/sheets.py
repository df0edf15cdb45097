"""Contact sheets."""

from collections.abc import Sequence

from PIL import Image


def sheet(pictures: Sequence[Image.Image], columns: int = 8, side: int = 128) -> Image.Image:
    """The pictures in rows, each enlarged to `side` pixels, with thin lines between them."""
    step = side + 2
    result = Image.new("RGB", (columns * step, -(-len(pictures) // columns) * step), "white")
    for index, picture in enumerate(pictures):
        large = picture.resize((side, side), Image.Resampling.NEAREST)
        result.paste(large, (index % columns * step, index // columns * step))
    return result
