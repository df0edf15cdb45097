"""Makes files small enough for Discord: the same picture in fewer bytes."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from PIL import Image, ImageSequence

from pipeline.metadata.texts import COMMENT, texts_in
from pipeline.protocol.exif import exif_with

REQUEST_LIMIT: Final = 25 * 1024 * 1024
"""Limit in bytes for all files of a request. https://discord.com/developers/docs/reference#uploading-files"""
DIRECT_MESSAGE_LIMIT: Final = 10 * 1024 * 1024
"""Limit in bytes for a file in a direct message. It does not depend on the member's subscription."""
_REQUEST_MARGIN: Final = 256 * 1024
"""Bytes for the JSON and the multipart boundaries."""
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
"""The formats that the worker writes."""
_QUALITIES: Final = (95, 85, 70)
_SHRINK: Final = 0.75
_LEAST_SIDE: Final = 64
_THUMBNAIL_SIDE: Final = 512

Files = list[tuple[str, bytes]]


def fit(files: Sequence[tuple[str, bytes]], limit: int, reserve_bytes: int = 0) -> Files:
    """Files that Discord accepts, in the same order. This blocks: call it in a thread.

    A file that fits stays the same, byte by byte. A larger PNG becomes lossless WebP. If that is too large, the file
    becomes WebP of high quality, then of smaller and smaller size. A file that is no picture always stays the same.

    Args:
        files: names and bytes of outputs.
        limit: most bytes for one file.
        reserve_bytes: bytes that a file that is made smaller leaves for its signature.
    """
    each = min(limit, (REQUEST_LIMIT - _REQUEST_MARGIN) // max(1, len(files)))
    return [
        (name, data) if len(data) <= each or not _is_picture(name) else _smaller(name, data, each - reserve_bytes)
        for name, data in files
    ]


def thumbnail(png: bytes) -> bytes:
    """A picture of ours in small, as WebP. This blocks: call it in a thread."""
    with Image.open(io.BytesIO(png), formats=_FORMATS) as opened:
        opened.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
        return _webp(_decoded(opened), {})


def in_messages(files: Sequence[tuple[str, bytes]], limit: int, reserve_bytes: int = 0) -> list[Files]:
    """The files in as many messages as they need. This blocks: call it in a thread.

    The files stay the same. Only a file that is too large for any message becomes smaller, as in `fit`.

    Args:
        files: names and bytes of outputs.
        limit: most bytes for one file.
        reserve_bytes: bytes that a file that is made smaller leaves for its signature.
    """
    room = REQUEST_LIMIT - _REQUEST_MARGIN
    messages: list[Files] = [[]]
    for file in files:
        ((name, data),) = fit([file], limit, reserve_bytes)
        if messages[-1] and sum(len(other) for _, other in messages[-1]) + len(data) > room:
            messages.append([])
        messages[-1].append((name, data))
    return messages


def _is_picture(name: str) -> bool:
    return PurePath(name).suffix.removeprefix(".").upper() in _FORMATS


def _smaller(name: str, data: bytes, limit: int) -> tuple[str, bytes]:
    texts = texts_in(data)
    exif = exif_with(texts.get("parameters") or texts.get(COMMENT, ""))
    with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
        if getattr(opened, "is_animated", False):
            return name, _smaller_animation(opened, exif, limit)
        picture = _decoded(opened)
        is_lossless = opened.format == "PNG"
        about = {"exif": exif, "xmp": opened.info.get("xmp", b"")}
    new_name = str(PurePath(name).with_suffix(".webp"))
    tries: list[Callable[[], bytes]] = []
    if is_lossless:
        tries.append(lambda: _webp(picture, about, lossless=True))
    tries += [lambda quality=quality: _webp(picture, about, quality=quality) for quality in _QUALITIES]
    for encode in tries:
        if len(encoded := encode()) <= limit:
            return new_name, encoded
    while True:
        picture = picture.resize((round(picture.width * _SHRINK), round(picture.height * _SHRINK)))
        encoded = _webp(picture, about, quality=_QUALITIES[-1])
        if len(encoded) <= limit or min(picture.size) <= _LEAST_SIDE:
            return new_name, encoded


def _smaller_animation(opened: Image.Image, exif: Image.Exif, limit: int) -> bytes:
    """An animated WebP with smaller frames of the same durations."""
    frames: list[Image.Image] = []
    durations: list[int] = []
    for frame in ImageSequence.Iterator(opened):
        frames.append(frame.convert("RGB"))
        durations.append(int(frame.info["duration"]))
    about = {"exif": exif, "xmp": opened.info.get("xmp", b"")}
    while True:
        width, height = (max(1, round(side * _SHRINK)) for side in frames[0].size)
        frames = [frame.resize((width, height)) for frame in frames]
        moving = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
        encoded = _webp(frames[0], {**about, **moving}, quality=_QUALITIES[-1])
        if len(encoded) <= limit or min(width, height) <= _LEAST_SIDE:
            return encoded


def _decoded(opened: Image.Image) -> Image.Image:
    """The pixels; what is transparent stays so."""
    return opened.convert("RGBA" if "A" in opened.getbands() else "RGB")


def _webp(picture: Image.Image, about: Mapping[str, Any], *, lossless: bool = False, quality: int = 80) -> bytes:
    """The file; `about` has its EXIF data and its XMP packet, if they go along."""
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=lossless, quality=quality, method=4, **about)
    return file.getvalue()
