"""Pictures for the page, looked at where they are.

SimCord starts a process for each file, one after the other, decodes it there and encodes it anew. That takes a third
of a second for a file, and the page waits for all of them: six seconds with forty pictures, forty on a busy machine. It
guards against strangers' files; here all of them come from one's own bot and oneself.
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
"""What is handed to the browser as it is."""

ORIENTATION = 0x0112
"""The EXIF tag by which a browser turns a picture, so that its header tells another size."""


class QuickLook(MediaWorker):
    """Reads headers; only what is no plain still picture goes SimCord's way, in a thread."""

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
    """Describe a still picture from its header, or return None if it is anything else."""
    try:
        with Image.open(io.BytesIO(blob), formats=tuple(STILLS)) as image:
            if getattr(image, "n_frames", 1) != 1 or is_turned(image):
                return None
            width, height = image.size
            return MediaInfo(str(image.format), width, height, 1, width * height * 4, blob, STILLS[str(image.format)])
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return None


def is_turned(image: Picture) -> bool:
    """Whether the file says so before its pixels; a PNG that says it behind them is not decoded for that."""
    return "exif" in image.info and image.getexif().get(ORIENTATION, 1) != 1
