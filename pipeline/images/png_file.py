"""The parts of a PNG file: header, texts, and pixels that ISA-L deflates. It needs no numpy, so that it loads fast."""

import struct
from collections.abc import Iterable
from typing import Final

from isal import isal_zlib

UP: Final = 2
"""Number of the filter Up, which stores the difference from the row above."""
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS_RGB: Final = (8, 2, 0, 0, 0)
"""Last five fields of IHDR: bits per channel, color type, compression, filter method, interlacing."""
_LEVEL: Final = 1


def png_file(size: tuple[int, int], filtered: bytes | memoryview, texts: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """A PNG file of RGB pixels; deflating releases Python's global lock.

    Args:
        size: width and height in pixels.
        filtered: all rows, each with the number of its filter and its filtered bytes.
        texts: kinds and contents of the text chunks, which come before the pixels.
    """
    return png_of_bands(size, [filtered], texts)


def png_of_bands(
    size: tuple[int, int], bands: Iterable[bytes | memoryview], texts: Iterable[tuple[bytes, bytes]] = ()
) -> bytes:
    """The same from several parts of the filtered rows, one after the other."""
    header = struct.pack(">IIBBBBB", *size, *_EIGHT_BITS_RGB)
    deflate = isal_zlib.compressobj(_LEVEL)
    pixels = b"".join([*(deflate.compress(band) for band in bands), deflate.flush()])
    chunks = [(b"IHDR", header), *texts, (b"IDAT", pixels), (b"IEND", b"")]
    return b"".join([_SIGNATURE, *(_chunk(kind, data) for kind, data in chunks)])


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)])
