"""Pictures for the page, described from their headers in this process.

SimCord starts a process for each file in turn, which decodes the file and encodes it anew. That takes a third of a
second per file, and the page waits for all files: six seconds with forty pictures, forty on a busy machine. SimCord
guards against strangers' files so. Here all files come from the owner and the owner's bot.
"""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError
from simcord.preview import _media
from simcord.preview._media import MediaError, MediaInfo, MediaWorker

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

STILLS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
"""Content types that the browser gets unchanged."""

ORIENTATION = 0x0112
"""EXIF tag of the orientation. A browser rotates such a picture, so its header states another size."""


class QuickLook(MediaWorker):
    """Describes still pictures from their headers, and all other files with SimCord's code in a thread."""

    async def _decode(self, key: str, blob: bytes, media_time: float | None) -> MediaInfo:
        """Describe a file for the page.

        Raises:
            MediaError: the page can show no such file.
        """
        try:
            return still(blob) or await asyncio.to_thread(_media._process_media, blob, media_time)  # noqa: SLF001
        except MediaError as error:
            self._cache[key] = error
            raise


def still(blob: bytes) -> MediaInfo | None:
    """Describe a still picture from its header; return None for other files."""
    try:
        with Image.open(io.BytesIO(blob), formats=tuple(STILLS)) as image:
            if getattr(image, "n_frames", 1) != 1 or is_turned(image):
                return None
            width, height = image.size
            return MediaInfo(str(image.format), width, height, 1, width * height * 4, blob, STILLS[str(image.format)])
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return None


def is_turned(image: Picture) -> bool:
    """Whether the file states an orientation before its pixels. A PNG with it after the pixels is not decoded."""
    return "exif" in image.info and image.getexif().get(ORIENTATION, 1) != 1
