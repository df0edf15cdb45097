"""The text about how a picture was made, in files that have no chunks of text: WebP and JPEG.

A1111 and the galleries that read its files look for it in the user's comment of the EXIF data. The worker writes
it there, and so does the bot where it makes a file smaller.
"""

from typing import Final

from PIL import ExifTags, Image

_UNICODE: Final = b"UNICODE\0"


def exif_with(parameters: str) -> Image.Exif:
    """EXIF data with this text as the user's comment; empty where there is none."""
    exif = Image.Exif()
    if parameters:
        # Both halves big-endian, as A1111 writes them: readers take the byte order of the text from that of the data,
        # which Pillow writes so.
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _UNICODE + parameters.encode("utf-16-be")
    return exif
