"""Where a painted copy differs from its picture: a member scribbles over a saved picture and sends it back."""

from typing import Final

from PIL import Image, ImageChops

from pipeline.protocol.reading import CleanPicture, PictureFault
from pipeline.reading.masks import ALL, closed, filled, opened, where_above
from pipeline.reading.pictures import NoPicture, as_png, on_white, read_picture

_DIFFERENCE: Final = 40
"""Mean difference of a pixel's three channels, in values of 255, above which it is painted. What JPEG and a resize
change stays below."""
_OPENING: Final = 1
_CLOSING: Final = 3
_SHAPE: Final = 0.02
"""Relative difference of two shapes that rounded sides explain."""
_GRAY: Final = 24
"""Greatest difference of channels, and of a value from black or white, that JPEG makes of a black-and-white picture."""
_PLAIN: Final = 0.98
"""Fraction of black and white pixels in a black-and-white picture; edges are between the two."""
_MEAN: Final = (1 / 3, 1 / 3, 1 / 3, 0)


def marked(ours: bytes, theirs: bytes) -> tuple[CleanPicture, bytes]:
    """Find what is painted on a copy; returns facts about the mask, and its PNG of the picture's size.

    White is marked, and black is kept. A copy in black and white is a mask itself; so is what is transparent in a copy.

    Raises:
        NoPicture: a file is no picture within the bounds, the copy has another shape, or nothing is marked.
        Exception: whatever a decoder raises at a damaged file.
    """
    picture, _ = read_picture(ours)
    copy, _ = read_picture(theirs)
    if not _is_alike(picture.size, copy.size):
        raise NoPicture(PictureFault.SHAPE)
    mask = _mask(on_white(picture), copy)
    if mask.getbbox() is None:
        raise NoPicture(PictureFault.UNMARKED)
    return CleanPicture(width=mask.width, height=mask.height), as_png(mask.convert("RGB"))


def _mask(picture: Image.Image, copy: Image.Image) -> Image.Image:
    if copy.mode == "RGBA":
        visible = copy.getchannel("A")
        if visible.getextrema()[0] == 0:
            return where_above(ImageChops.invert(visible), ALL - 1).resize(picture.size, Image.Resampling.NEAREST)
    plain = on_white(copy)
    if _is_black_and_white(plain) and not _is_black_and_white(picture):
        return where_above(plain.convert("L").resize(picture.size, Image.Resampling.BILINEAR), ALL // 2)
    resized = plain.resize(picture.size, Image.Resampling.LANCZOS)
    mean = ImageChops.difference(picture, resized).convert("L", _MEAN)
    return filled(closed(opened(where_above(mean, _DIFFERENCE), _OPENING), _CLOSING))


def _is_alike(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two sizes have the same shape, but for a pixel of rounding."""
    (width, height), (other_width, other_height) = first, second
    return abs(width * other_height / (height * other_width) - 1) <= _SHAPE


def _is_black_and_white(picture: Image.Image) -> bool:
    """Whether a picture has black and white pixels, and hardly others."""
    red, green, blue = picture.split()
    colored = ImageChops.lighter(ImageChops.difference(red, green), ImageChops.difference(green, blue))
    if where_above(colored, _GRAY).getbbox() is not None:
        return False
    histogram = picture.convert("L").histogram()
    black, white = sum(histogram[: _GRAY + 1]), sum(histogram[ALL - _GRAY :])
    return black > 0 and white > 0 and black + white >= _PLAIN * sum(histogram)
