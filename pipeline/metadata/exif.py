"""The few texts of EXIF data in which tools say how a picture was made.

Only those tags are looked at, within the bytes that are there: thousands may point at the same megabytes.
"""

import struct
from collections.abc import Mapping
from typing import Final, Literal

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
"""BYTE, ASCII and UNDEFINED: each a byte a value."""

_ENCODING_BYTES: Final = 8
_ENCODINGS: Final = frozenset({b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"\0\0\0\0\0\0\0\0"})
"""What the first eight bytes of a user's comment may say of the others."""

_MARKS: Final = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MOSTLY: Final = 0.9
"""Part of the bytes that is ASCII where they are words in Latin-1 and no halves of signs."""

_JUDGED: Final = 2_000
"""Bytes or signs by which an encoding is told."""
_SCRIPTS: Final = (
    *(("\u00a0", "\u0e7f"), ("\u2010", "\u206f"), ("\u3000", "\u30ff")),
    *(("\u4e00", "\u9fff"), ("\uac00", "\ud7a3"), ("\uff00", "\uffef")),
)
"""From Latin to Thai, punctuation, kana, Chinese, Korean, and the full widths of ASCII."""

ByteOrder = Literal["<", ">"]
_HEAD: Final = b"Exif\0\0"
_ORDERS: Final[Mapping[bytes, ByteOrder]] = {b"II*\0": "<", b"MM\0*": ">"}
_WIDE: Final[Mapping[ByteOrder, str]] = {"<": "utf-16-le", ">": "utf-16-be"}


def exif_texts(data: memoryview, most_bytes: int) -> dict[str, str]:
    """Texts by the names of their tags in lower case, as far as they are there and whole.

    Args:
        data: a TIFF header and what follows it, with or without the `Exif` that JPEG puts before it.
        most_bytes: of a text; a longer one is left out.
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
        # Most write the comment into the inner directory, Fooocus into the outer one.
        found = _directory(data, order, inner) | found
    texts = {
        name: _comment(bytes(raw), order) if name == "usercomment" else readable(bytes(raw))
        for tag, name in _TAGS.items()
        if (raw := found.get(tag)) is not None and len(raw) <= most_bytes
    }
    return {name: text for name, text in texts.items() if text}


def _directory(data: memoryview, order: ByteOrder, at: int) -> dict[int, memoryview]:
    """Where the wanted tags of one directory point."""
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
    """A user's comment. Half of the tools name another encoding before it than the one they write."""
    named = raw[:_ENCODING_BYTES]
    if named not in _ENCODINGS:
        return readable(raw)
    words = raw[_ENCODING_BYTES:]
    if named.startswith(b"JIS"):
        # The standard means ISO 2022; Windows and phones write what they are used to.
        for encoding in ("iso2022_jp", "utf-8", "shift_jis", "euc_jp"):
            text = _decoded(words.rstrip(b"\0"), encoding)
            if text is not None and "\0" not in text:
                return text.strip()
    return readable(words, _WIDE[order] if named.startswith(b"UNICODE") else None)


def readable(raw: bytes, wide: str | None = None) -> str:
    """Words in whichever encoding makes most sense of them.

    A byte order mark decides; then UTF-8, if the bytes are it and hold no zeros. Of the two encodings with two bytes
    a sign, it is the one with more ASCII and other usual signs in it.

    Args:
        raw: the words.
        wide: the encoding of two bytes a sign that they are said to have, which decides where nothing else does.
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
    """How much a reading looks like words: halves of signs that are put together wrongly come from everywhere."""
    usual = sum(any(first <= sign <= last for first, last in _SCRIPTS) for sign in text)
    return usual + 2 * _ascii_signs(text)


def _ascii_signs(text: str) -> int:
    return sum(" " <= sign <= "~" or sign == "\n" for sign in text)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None
