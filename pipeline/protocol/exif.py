"""Generation parameters as EXIF data, for formats without text chunks: WebP and JPEG.

A1111 and galleries look for them in the EXIF user comment. The worker writes them there. The bot writes them again
when it makes a file smaller.
"""

from typing import Final

from PIL import ExifTags, Image

_UNICODE: Final = b"UNICODE\0"


def exif_with(parameters: str) -> Image.Exif:
    """EXIF data with this text as the user comment; empty when the text is empty."""
    exif = Image.Exif()
    if parameters:
        # The text is big-endian, as in A1111's files. Readers assume the byte order of the EXIF data, and Pillow writes
        # that big-endian.
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _UNICODE + parameters.encode("utf-16-be")
    return exif
