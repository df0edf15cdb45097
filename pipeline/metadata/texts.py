"""Collects the texts in a picture's file by their keys, with limits on number and length."""

import re
import zlib
from collections.abc import Mapping
from typing import Final

from pipeline.metadata.containers import inflated, is_jpeg, is_png, is_webp, jpeg_segments, png_chunks, webp_chunks
from pipeline.metadata.exif import exif_texts, readable
from pipeline.metadata.stealth import hidden_text

MOST_BYTES: Final = 1024 * 1024
"""Greatest size of one text in bytes. The workflow of a large graph in ComfyUI has half of it."""
_MOST_BYTES_TOGETHER: Final = 2 * MOST_BYTES
_MOST_TEXTS: Final = 100
"""Greatest number of texts that are read, because each may be inflated to `MOST_BYTES` before it is rejected."""
_LONGEST_KEY: Final = 79

COMMENT: Final = "usercomment"
_XMP_KEY: Final = "xml:com.adobe.xmp"
_XMP_HEAD: Final = b"http://ns.adobe.com/xap/1.0/\0"
_CHUNKS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
_APP1: Final = 0xE1
_COM: Final = 0xFE
_XMP_TEXTS: Final = {
    COMMENT: "exif:UserComment",
    "description": "dc:description",
    "digitalsourcetype": "Iptc4xmpExt:DigitalSourceType",
    "creatortool": "xmp:CreatorTool",
}
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#xA;": "\n", "&#10;": "\n", "&amp;": "&"}
"""Characters of XML entities; `&amp;` is last, so that its result is not replaced again."""
_TAG: Final = re.compile(r"<[^<>]{0,200}>")


class NotAPicture(Exception):
    """The file is neither PNG nor JPEG nor WebP."""


class _Texts:
    """Collects texts; the first text of each key is kept."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._looked_at = self._bytes = 0

    def has_room(self) -> bool:
        """Count a text, and return True while the number of texts is within the limit."""
        self._looked_at += 1
        return self._looked_at <= _MOST_TEXTS

    def take(self, key: str, text: str) -> None:
        """Keep a text if the total size is within its limit."""
        self._bytes += len(text)
        if text and self._bytes <= _MOST_BYTES_TOGETHER:
            self.found.setdefault(key, text)

    def take_all(self, texts: Mapping[str, str]) -> None:
        """Keep several texts; see `take`."""
        for key, text in texts.items():
            self.take(key, text)


def texts_in(data: bytes) -> dict[str, str]:
    """All texts in a picture's file outside its pixels, by their keys in lower case.

    Raises:
        NotAPicture: the file is neither PNG nor JPEG nor WebP.
    """
    file, texts = memoryview(data), _Texts()
    if is_png(file):
        _of_png(file, texts)
    elif is_jpeg(file):
        _of_jpeg(file, texts)
    elif is_webp(file):
        _of_webp(file, texts)
    else:
        raise NotAPicture
    return texts.found


def hidden_in(data: bytes) -> str | None:
    """Text in the pixels of a PNG; None when there is none, or when the file has another format."""
    file = memoryview(data)
    chunks = list(png_chunks(file)) if is_png(file) else []
    header = next((chunk for kind, chunk in chunks if kind == b"IHDR"), memoryview(b""))
    return hidden_text(header, (chunk for kind, chunk in chunks if kind == b"IDAT"))


def _of_png(file: memoryview, texts: _Texts) -> None:
    for kind, chunk in png_chunks(file):
        if kind not in _CHUNKS or not texts.has_room():
            continue
        if kind == b"eXIf":
            texts.take_all(exif_texts(chunk, MOST_BYTES))
            continue
        key, raw = _chunk_of_text(kind, chunk)
        if key == _XMP_KEY:
            texts.take_all(_of_xmp(memoryview(raw)))
        else:
            texts.take(key, readable(raw))


def _of_jpeg(file: memoryview, texts: _Texts) -> None:
    for marker, segment in jpeg_segments(file):
        if marker not in (_APP1, _COM) or not texts.has_room():
            continue
        if marker == _APP1 and bytes(segment[: len(_XMP_HEAD)]) == _XMP_HEAD:
            texts.take_all(_of_xmp(segment[len(_XMP_HEAD) :]))
        elif marker == _APP1:
            texts.take_all(exif_texts(segment, MOST_BYTES))
        else:
            texts.take("comment", readable(bytes(segment)))


def _of_webp(file: memoryview, texts: _Texts) -> None:
    for kind, chunk in webp_chunks(file):
        if kind not in (b"EXIF", b"XMP ") or not texts.has_room():
            continue
        if kind == b"EXIF":
            texts.take_all(exif_texts(chunk, MOST_BYTES))
        else:
            texts.take_all(_of_xmp(chunk))


def _chunk_of_text(kind: bytes, chunk: memoryview) -> tuple[str, bytes]:
    """Key and text of a text chunk; the text is empty when it is too long or cannot be inflated."""
    key, separator, _ = bytes(chunk[: _LONGEST_KEY + 1]).partition(b"\0")
    name = key.decode("latin-1").lower()
    words = chunk[len(key) + 1 :]
    is_packed = kind == b"zTXt"
    if kind == b"iTXt":
        is_packed = bytes(words[:1]) == b"\1"
        # The language and the translated key each end with a zero byte.
        head = bytes(words[2:402])
        ends = head.find(b"\0", head.find(b"\0") + 1)
        separator, words = (separator, words[3 + ends :]) if ends > 0 else (b"", words)
    elif is_packed:
        words = words[1:]
    if not separator:
        return name, b""
    if is_packed:
        return name, _unpacked(words)
    return name, bytes(words) if len(words) <= MOST_BYTES else b""


def _unpacked(words: memoryview) -> bytes:
    text = bytearray()
    try:
        for piece in inflated([words]):
            text += piece
            if len(text) > MOST_BYTES:
                return b""
    except zlib.error:
        return b""
    return bytes(text)


def _of_xmp(data: memoryview) -> dict[str, str]:
    """Some texts in XMP, found by search: an XML parser could be attacked by the document."""
    if len(data) > MOST_BYTES:
        return {}
    document = bytes(data).decode("utf-8", errors="replace")
    found: dict[str, str] = {}
    for key, name in _XMP_TEXTS.items():
        begin, end = document.find(f"<{name}"), document.find(f"</{name}>")
        if 0 <= begin < end:
            inside = document[document.find(">", begin) + 1 : end]
            found[key] = _unescaped(_TAG.sub("", inside)).strip()
        elif (at := document.find(f'{name}="')) >= 0:
            at += len(name) + 2
            found[key] = _unescaped(document[at : max(at, document.find('"', at))]).strip()
    return found


def _unescaped(text: str) -> str:
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    return text
