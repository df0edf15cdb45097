"""Splits PNG, JPEG and WebP files into their parts, as views of the file's bytes, without copying or decoding."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

MOST_PARTS: Final = 16_384
"""Greatest number of parts that are read. A PNG of 25 MiB in libpng's chunks of 8 KiB has 3,200."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_PIECE: Final = 64 * 1024
"""Greatest number of bytes in one piece of input and of output when inflating."""

_BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length field."""
_FILL: Final = 0xFF
_PIXELS_BEGIN: Final = 0xDA
_END: Final = 0xD9


def is_png(file: memoryview) -> bool:
    """True when a file begins like a PNG."""
    return bytes(file[: len(_PNG)]) == _PNG


def is_jpeg(file: memoryview) -> bool:
    """True when a file begins like a JPEG; a file of several pictures (MPO) does too."""
    return bytes(file[: len(_JPEG)]) == _JPEG


def is_webp(file: memoryview) -> bool:
    """True when a file begins like a WebP."""
    return bytes(file[:4]) == b"RIFF" and bytes(file[8:12]) == b"WEBP"


def png_chunks(file: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and content of each complete chunk, including those after the pixels."""
    at = len(_PNG)
    for _ in range(MOST_PARTS):
        if at + 8 > len(file):
            return
        length, kind = struct.unpack_from(">I4s", file, at)
        end = at + 8 + length
        if end > len(file) or kind == b"IEND":
            return
        yield kind, file[at + 8 : end]
        at = end + 4


def jpeg_segments(file: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Marker and content of each segment before the pixels of the first picture."""
    at = 2
    for _ in range(MOST_PARTS):
        if at + 4 > len(file) or file[at] != _FILL:
            return
        marker = file[at + 1]
        if marker in (_PIXELS_BEGIN, _END):
            return
        if marker == _FILL:
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        else:
            (length,) = struct.unpack_from(">H", file, at + 2)
            yield marker, file[at + 4 : at + 2 + length]
            at += 2 + max(length, 2)


def webp_chunks(file: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and content of each complete chunk."""
    at = 12
    for _ in range(MOST_PARTS):
        if at + 8 > len(file):
            return
        kind, length = struct.unpack_from("<4sI", file, at)
        end = at + 8 + length
        if end > len(file):
            return
        yield kind, file[at + 8 : end]
        at = end + length % 2


def inflated(parts: Iterable[memoryview | bytes], *, is_gzip: bool = False) -> Iterator[bytes]:
    """Inflate data in pieces of at most 64 KiB, so that the caller can stop when it has enough.

    Raises:
        zlib.error: the data is not deflated.
    """
    decoder = zlib.decompressobj(zlib.MAX_WBITS + 16 if is_gzip else zlib.MAX_WBITS)
    for part in parts:
        for at in range(0, len(part), _PIECE):
            rest: memoryview | bytes = part[at : at + _PIECE]
            while rest:
                yield decoder.decompress(rest, _PIECE)
                rest = decoder.unconsumed_tail
            if decoder.eof:
                return
    while piece := decoder.decompress(b"", _PIECE):
        yield piece
