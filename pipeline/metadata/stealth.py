"""Reads text from the lowest bits of a PNG's pixels, where it survives the removal of text chunks.

NovelAI and A1111's extension "stealth pnginfo" write the text column by column, into the alpha channel or into red,
green and blue. So only the first columns are decoded. That is possible because PNG's filters use only pixels to the
left and above: the beginnings of all rows form a complete, narrower picture.
"""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Final

from PIL import Image

from pipeline.metadata.containers import inflated

_MOST_SIDE: Final = 8_192
_MOST_PIXELS: Final = 8 * 1024 * 1024
"""Greatest number of pixels of a picture that is read; all of them must be inflated, one row at a time."""
_MOST_BITS: Final = 512 * 1024
"""Greatest number of pixels that are decoded, and of bits in the text; NovelAI writes about 20,000 bits."""
_MOST_CHARACTERS: Final = 512 * 1024

_CHANNELS: Final = {2: 3, 6: 4}
"""Number of channels of PNG's color types that can hold such a text: RGB and RGBA."""
_SIGNATURES: Final = {b"info": False, b"comp": True}
"""True when the text is compressed with gzip, by the suffix after `stealth_png` (alpha) or `stealth_rgb`."""
_SIGNATURE_BITS: Final = 8 * len("stealth_pnginfo")
_LENGTH_BITS: Final = 32
_DIGITS: Final = bytes(ord("0") + (value & 1) for value in range(256))


def hidden_text(header: memoryview, pixels: Iterable[memoryview]) -> str | None:
    """Text in the pixels; None when there is none, or when the PNG is not 8-bit RGB or RGBA without interlacing.

    Args:
        header: content of the IHDR chunk.
        pixels: contents of the IDAT chunks.
    """
    if len(header) != 13:  # noqa: PLR2004 - width, height and five bytes
        return None
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    channels = _CHANNELS.get(color)
    if channels is None or depth != 8 or interlaced or not width or not height:  # noqa: PLR2004 - bits
        return None
    if max(width, height) > _MOST_SIDE or width * height > _MOST_PIXELS:
        return None
    columns = min(width, -(-_MOST_BITS // height))
    try:
        rows = _beginnings(pixels, 1 + channels * width, 1 + channels * columns, height)
        planes = {} if rows is None else _planes(rows, columns, height, color)
    except (zlib.error, OSError):  # damaged data, or a row whose filter PNG does not know
        return None
    return next((text for name, plane in planes.items() if (text := _text(name, plane)) is not None), None)


def _beginnings(pixels: Iterable[memoryview], row_bytes: int, kept_bytes: int, height: int) -> bytes | None:
    """First bytes of each row, with the filter's number; None when rows are missing."""
    kept = bytearray()
    at, wanted = 0, row_bytes * height
    for piece in inflated(pixels):
        start = 0
        while start < len(piece) and at < wanted:
            column = at % row_bytes
            length = min(len(piece) - start, row_bytes - column)
            if column < kept_bytes:
                kept += piece[start : start + min(length, kept_bytes - column)]
            start, at = start + length, at + length
        if at >= wanted:
            return bytes(kept)
    return None


def _planes(rows: bytes, width: int, height: int, color: int) -> dict[bytes, bytes]:
    """Bytes of the channels that may hold a text, column by column, by the beginning of their signature."""
    with _narrow(rows, width, height, color) as picture:
        turned = picture.transpose(Image.Transpose.TRANSPOSE)
        planes = {b"stealth_rgb": turned.convert("RGB").tobytes()}
        if turned.mode == "RGBA":
            planes[b"stealth_png"] = turned.getchannel("A").tobytes()
    return planes


def _narrow(rows: bytes, width: int, height: int, color: int) -> Image.Image:
    """Decode filtered rows as a separate picture."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    ]
    return Image.open(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)), formats=("PNG",))


def _text(name: bytes, plane: bytes) -> str | None:
    """Text in the lowest bits of bytes; a signature and the length in bits precede it."""
    begin = _SIGNATURE_BITS + _LENGTH_BITS
    signature = _packed(plane[:_SIGNATURE_BITS])
    is_compressed = _SIGNATURES.get(signature.removeprefix(name)) if signature.startswith(name) else None
    if is_compressed is None or len(plane) < begin:
        return None
    length = int.from_bytes(_packed(plane[_SIGNATURE_BITS:begin]), "big") // 8 * 8
    if not 0 < length <= min(_MOST_BITS, len(plane) - begin):
        return None
    written = _packed(plane[begin : begin + length])
    if is_compressed:
        text = bytearray()
        try:
            for piece in inflated([written], is_gzip=True):
                text += piece
                if len(text) > _MOST_CHARACTERS:
                    return None
        except zlib.error:
            return None
        written = bytes(text)
    return written.decode("utf-8", errors="replace")


def _packed(plane: bytes) -> bytes:
    """Pack the lowest bits of bytes, eight into each byte; the first bit is the highest."""
    return int(plane.translate(_DIGITS) or b"0", 2).to_bytes(len(plane) // 8, "big")
