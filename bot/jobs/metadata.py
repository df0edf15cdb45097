"""What made a picture, read from its own file: ours, A1111's, and those of tools that write like them."""

import io
from typing import Final

from PIL import Image

from pipeline.protocol.exif import comment_in

_MOST_CHARACTERS: Final = 20_000
_KEYS: Final = ("parameters", "prompt", "Description", "Comment")
"""Chunks of text in which tools say how a PNG came about: A1111 and Easel, ComfyUI, NovelAI."""


def read_parameters(data: bytes) -> str | None:
    """The words of a picture's file about how it was made; None where it says nothing, or is no picture."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            found = next((picture.info[key] for key in _KEYS if isinstance(picture.info.get(key), str)), None)
            words = found or comment_in(picture.getexif())
    # A file from anybody may break any reader in any way; then it says nothing that can be read.
    except Exception:  # noqa: BLE001 - see above
        return None
    return words[:_MOST_CHARACTERS].strip() or None
