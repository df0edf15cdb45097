"""Reads the few EXIF texts in which tools write generation parameters.

All other tags are skipped, because thousands of tags may point at the same megabytes. Offsets beyond the data are
ignored.
"""

import codecs
import struct
from collections.abc import Mapping
from typing import Final, Literal

# Python imports a codec when it is first used, and processes that read strangers' files open no file later.
for _encoding in ("latin-1", "utf-8", "utf-16-le", "utf-16-be", "iso2022_jp", "shift_jis", "euc_jp"):
    codecs.lookup(_encoding)

_TAGS: Final = {
    0x010E: "imagedescription",
    0x010F: "make",
    0x0110: "model",
    0x0131: "software",
    0x9286: "usercomment",
    0x9C9C: "xpcomment",
}
_EXIF_POINTER: Final = 0x8769
_MOST_TAGS: Final = 1_000
_INLINE: Final = 4
_BYTE_TYPES: Final = frozenset({1, 2, 7})
"""EXIF types with one byte for each value: BYTE, ASCII and UNDEFINED."""

_ENCODING_BYTES: Final = 8
_ENCODINGS: Final = frozenset({b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"\0\0\0\0\0\0\0\0"})
"""Encoding names in the first eight bytes of a user comment."""

_MARKS: Final = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MOSTLY: Final = 0.9
"""Least fraction of ASCII among the bytes of a Latin-1 text; below it the bytes are UTF-16."""

_JUDGED: Final = 2_000
"""Number of bytes or characters that are examined to detect an encoding."""
_SCRIPTS: Final = (
    *(("\u00a0", "\u0e7f"), ("\u2010", "\u206f"), ("\u3000", "\u30ff")),
    *(("\u4e00", "\u9fff"), ("\uac00", "\ud7a3"), ("\uff00", "\uffef")),
)
"""Ranges of usual characters: Latin to Thai, punctuation, kana, Chinese, Korean, and fullwidth forms of ASCII."""

ByteOrder = Literal["<", ">"]
_HEAD: Final = b"Exif\0\0"
_ORDERS: Final[Mapping[bytes, ByteOrder]] = {b"II*\0": "<", b"MM\0*": ">"}
_WIDE: Final[Mapping[ByteOrder, str]] = {"<": "utf-16-le", ">": "utf-16-be"}


def exif_texts(data: memoryview, most_bytes: int) -> dict[str, str]:
    """Complete texts in EXIF data, by the names of their tags in lower case.

    Args:
        data: TIFF data from its header on, with or without JPEG's prefix `Exif`.
        most_bytes: greatest size of a text; longer ones are left out.
    """
    if bytes(data[: len(_HEAD)]) == _HEAD:
        data = data[len(_HEAD) :]
    order = _ORDERS.get(bytes(data[:4]))
    if order is None or len(data) < 8:  # noqa: PLR2004 - the header
        return {}
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    found = _directory(data, order, first)
    pointer = found.get(_EXIF_POINTER)
    if pointer is not None and len(pointer) == _INLINE:
        (inner,) = struct.unpack(f"{order}I", pointer)
        # Most tools write the comment into the inner directory, but Fooocus into the outer one.
        found = _directory(data, order, inner) | found
    texts = {
        name: _comment(bytes(raw), order) if name == "usercomment" else readable(bytes(raw))
        for tag, name in _TAGS.items()
        if (raw := found.get(tag)) is not None and len(raw) <= most_bytes
    }
    return {name: text for name, text in texts.items() if text}


def _directory(data: memoryview, order: ByteOrder, at: int) -> dict[int, memoryview]:
    """Contents of the wanted tags in one directory, by tag number."""
    found: dict[int, memoryview] = {}
    if at + 2 > len(data):
        return found
    (count,) = struct.unpack_from(f"{order}H", data, at)
    for entry in range(at + 2, min(at + 2 + 12 * min(count, _MOST_TAGS), len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
        if tag == _EXIF_POINTER:
            found[tag] = data[entry + 8 : entry + 12]
        elif tag in _TAGS and kind in _BYTE_TYPES:
            (start,) = (entry + 8,) if length <= _INLINE else struct.unpack_from(f"{order}I", data, entry + 8)
            if start + length <= len(data):
                found[tag] = data[start : start + length]
    return found


def _comment(raw: bytes, order: ByteOrder) -> str:
    """Decode a user comment. About half of the tools declare another encoding than the one they use."""
    named = raw[:_ENCODING_BYTES]
    if named not in _ENCODINGS:
        return readable(raw)
    words = raw[_ENCODING_BYTES:]
    if named.startswith(b"JIS"):
        # The standard means ISO 2022, but Windows and phones write other encodings.
        for encoding in ("iso2022_jp", "utf-8", "shift_jis", "euc_jp"):
            text = _decoded(words.rstrip(b"\0"), encoding)
            if text is not None and "\0" not in text:
                return text.strip()
    return readable(words, _WIDE[order] if named.startswith(b"UNICODE") else None)


def readable(raw: bytes, wide: str | None = None) -> str:
    """Decode a text with the most plausible encoding.

    A byte order mark decides first. Next comes UTF-8, if the bytes are valid and have no zeros. Of the two byte orders
    of UTF-16, the one with more ASCII and other usual characters is used.

    Args:
        raw: bytes of the text.
        wide: declared UTF-16 encoding, which decides when nothing else does; None when none is declared.
    """
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, errors="replace").rstrip("\0").strip()
    narrow = raw.rstrip(b"\0")
    text = _decoded(narrow, "utf-8")
    if text is not None and "\0" not in text:
        return text.strip()
    begin = narrow[:_JUDGED].decode("latin-1")
    is_latin = _ascii_signs(begin) > _MOSTLY * len(begin)
    if is_latin or (wide is None and b"\0" not in narrow):
        return narrow.decode("latin-1").strip()
    even = raw[: len(raw) // 2 * 2]
    encodings = sorted(_WIDE.values(), key=lambda one: one != wide)
    readings = [even.decode(encoding, errors="replace") for encoding in encodings]
    return max(readings, key=lambda text: _sense(text[:_JUDGED])).rstrip("\0").strip()


def _sense(text: str) -> int:
    """Score of a decoded text by its usual characters; a wrong byte order gives characters from all of Unicode."""
    usual = sum(any(first <= sign <= last for first, last in _SCRIPTS) for sign in text)
    return usual + 2 * _ascii_signs(text)


def _ascii_signs(text: str) -> int:
    return sum(" " <= sign <= "~" or sign == "\n" for sign in text)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None
