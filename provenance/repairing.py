"""Where a picture's file ends. Services append bytes to files, and then no signature fits any more."""

from typing import Final

from pipeline.metadata.containers import is_jpeg, is_png, is_webp

_SIGNATURE_BYTES: Final = 8
_RIFF_HEAD: Final = 8


def media_type_of(data: bytes) -> str | None:
    """The media type of a PNG, JPEG or WebP file by its first bytes; None of any other."""
    file = memoryview(data)
    if is_png(file):
        return "image/png"
    if is_jpeg(file):
        return "image/jpeg"
    return "image/webp" if is_webp(file) else None


def without_tail(data: bytes) -> bytes:
    """The file without what follows a PNG's chunk `IEND` or a WebP's RIFF length; as it is if that place is unclear."""
    match media_type_of(data):
        case "image/png":
            return data[: _end_of_png(data)]
        case "image/webp":
            length = int.from_bytes(data[4:_RIFF_HEAD], "little")
            return data[: _RIFF_HEAD + length + length % 2]
        case _:
            return data


def _end_of_png(data: bytes) -> int:
    at = _SIGNATURE_BYTES
    while at + 12 <= len(data):
        kind, length = data[at + 4 : at + 8], int.from_bytes(data[at : at + 4], "big")
        at += 12 + length
        if kind == b"IEND":
            return at
    return len(data)
