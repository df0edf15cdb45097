"""Turns a stranger's file into a clean PNG: upright, RGB, no side over 2,048 pixels, and nothing but pixels."""

import contextlib
import copy
import io
import warnings
from collections.abc import Generator, Mapping
from typing import Final

# All that a format needs is imported here, since the process opens no file later.
from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from pipeline.images.png_file import UP, png_file
from pipeline.protocol.limits import MAX_INPUT_SIDE
from pipeline.protocol.reading import MAX_PIXELS, MAX_RATIO, MAX_SIDE, MIN_SIDE, CleanPicture, PictureFault

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")

_IMPORTED: Final = (
    *(GifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin),
    copy,  # by GIF
)
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_GRAY_16: Final = ("I;16", "I;16B", "I;16L", "I")
_UPRIGHT: Final[Mapping[object, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation."""
_FRACTIONS: Final = (8, 4, 2, 1)
"""Fractions of its sides at which a JPEG can be decoded."""
_DRAFT_SIDE: Final = MAX_INPUT_SIDE * 15 // 16
"""A fraction with this longer side is used as it is. The halves of most phones' photographs, which are 4,000 or 4,032
pixels long, are a little shorter than the greatest side, and are read in half the time."""
_REDUCING_GAP: Final = 3.0
_BANDS: Final = 3
OPAQUE: Final = 255

# The decoder's threads would need processes of their own.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
Image.preinit()


class NoPicture(Exception):
    """The file gives no picture, for a known reason."""

    def __init__(self, fault: PictureFault) -> None:
        super().__init__(fault)
        self.fault = fault


def clean(data: bytes) -> tuple[CleanPicture, bytes]:
    """Read a picture; returns facts about it and its PNG file.

    Raises:
        NoPicture: the file is no picture within the bounds.
        Exception: whatever a decoder raises at a damaged file.
    """
    picture, facts = read_picture(data)
    return facts, as_png(on_white(picture))


def read_picture(data: bytes) -> tuple[Image.Image, CleanPicture]:
    """Read a picture, upright and within the greatest size, in RGB or RGBA; and facts about it.

    Raises:
        NoPicture: the file is no picture within the bounds.
        Exception: whatever a decoder raises at a damaged file.
    """
    with _pillow_within_bounds(), _opened(data) as opened:
        _check_size(*opened.size)
        was_shrunk = max(opened.size) > MAX_INPUT_SIDE
        # Formats without a second frame lack the attribute. An MPO file shows the same picture again.
        has_more_frames = opened.format != "MPO" and bool(getattr(opened, "is_animated", False))
        opened.seek(0)
        opened.draft(None, _draft_size(*opened.size))  # JPEG alone decodes at a fraction of its size
        opened.load()
        upright = _upright(opened)
        picture = _in_colors(opened)
    picture = picture if upright is None else picture.transpose(upright)
    facts = CleanPicture(
        width=picture.width,
        height=picture.height,
        has_more_frames=has_more_frames,
        was_transparent=picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] != OPAQUE,
        was_shrunk=was_shrunk,
    )
    return picture, facts


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB; what is transparent becomes white."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, (OPAQUE, OPAQUE, OPAQUE, OPAQUE))
    white.alpha_composite(picture)
    return white.convert("RGB")


def as_png(picture: Image.Image) -> bytes:
    """The PNG file of an RGB picture."""
    return png_file(picture.size, _filtered(picture))


@contextlib.contextmanager
def _pillow_within_bounds() -> Generator[None]:
    """Let Pillow refuse too many pixels, and keep quiet about damage that it reads over."""
    usual = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = usual


def _opened(data: bytes) -> Image.Image:
    if _is_heic(data):
        raise NoPicture(PictureFault.HEIC)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise NoPicture(PictureFault.FORMAT) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoPicture(PictureFault.PIXELS) from error


def _is_heic(data: bytes) -> bool:
    """Whether the first box of the file names HEIC, and not AVIF, among its brands."""
    if data[4:8] != b"ftyp":
        return False
    box = data[: int.from_bytes(data[:4], "big")]
    brands = {box[8:12], *(box[at : at + 4] for at in range(16, len(box), 4))}
    return not brands.isdisjoint(_HEIC_BRANDS) and brands.isdisjoint(_AVIF_BRANDS)


def _check_size(width: int, height: int) -> None:
    shorter, longer = sorted((width, height))
    if shorter < MIN_SIDE or longer > MAX_SIDE:
        raise NoPicture(PictureFault.SIDES)
    if longer > MAX_RATIO * shorter:
        raise NoPicture(PictureFault.RATIO)


def _draft_size(width: int, height: int) -> tuple[int, int]:
    """The smallest size of a JPEG, at one of its fractions, that shows enough."""
    fraction = next((each for each in _FRACTIONS if max(width, height) >= each * _DRAFT_SIDE), 1)
    return width // fraction, height // fraction


def _upright(picture: Image.Image) -> Image.Transpose | None:
    """What turns a loaded picture upright; None if nothing does, or the EXIF data is damaged."""
    with contextlib.suppress(Exception):
        return _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation))
    return None


def _in_colors(picture: Image.Image) -> Image.Image:
    """The picture within the greatest size, in RGBA if a part may be transparent, else in RGB."""
    if picture.has_transparency_data:
        return _shrunk(picture.convert("RGBA"))
    if picture.mode in _GRAY_16:
        # `convert` would clip all but the darkest values to white.
        rounded = [(value + 128) // 257 for value in range(1 << 16)]
        picture = picture.convert("I").point(rounded, "L")
    if picture.mode == "CMYK":
        return _from_cmyk(_shrunk(picture))
    if picture.mode not in ("RGB", "L"):  # a palette's numbers cannot be mixed
        picture = picture.convert("RGB")
    return _shrunk(picture).convert("RGB")


def _shrunk(picture: Image.Image) -> Image.Image:
    """The picture, or a smaller one of the same shape."""
    scale = MAX_INPUT_SIDE / max(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.HAMMING, reducing_gap=_REDUCING_GAP)


def _filtered(picture: Image.Image) -> bytes:
    """The rows of an RGB picture with the filter Up, each behind the filter's number."""
    above = Image.new("RGB", picture.size)
    above.paste(picture, (0, 1))
    pixels = memoryview(ImageChops.subtract_modulo(picture, above).tobytes())
    row = _BANDS * picture.width
    number = bytes([UP])
    return b"".join(part for at in range(0, len(pixels), row) for part in (number, pixels[at : at + row]))


def _from_cmyk(picture: Image.Image) -> Image.Image:
    """RGB by the picture's own profile; without one, or with a broken one, by the plain formula."""
    profile = picture.info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return picture.convert("RGB")
