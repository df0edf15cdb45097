"""Reads the pictures that a job is given. They are PNG files that Easel wrote, with bounded sides."""

import io

import numpy as np
import torch
from PIL import Image, ImageOps

from pipeline.protocol import limits


class UnreadablePicture(Exception):
    """A file is no PNG, is broken or is too large; the message is one plain sentence."""


def read_png(data: bytes) -> Image.Image:
    """Read a PNG file as an RGB picture; its size is checked before any pixel is decoded.

    Raises:
        UnreadablePicture: the file is no such picture.
    """
    try:
        opened = Image.open(io.BytesIO(data), formats=("PNG",))
        if max(opened.size) <= limits.MAX_INPUT_SIDE:
            return opened.convert("RGB")
    # Pillow raises exceptions of many classes for broken files.
    except Exception as error:
        raise UnreadablePicture("A picture that the job was given cannot be read.") from error
    raise UnreadablePicture(f"A picture of {opened.width} x {opened.height} pixels is too large.")


def fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Resample a picture to a size in pixels. It is cropped around its center to fill the size, and not stretched."""
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)


def to_pixels(picture: Image.Image) -> torch.Tensor:
    """Convert an RGB picture to pixels [1, 3, H, W] from 0 to 1, float32."""
    array = np.asarray(picture, dtype=np.float32) / 255
    return torch.from_numpy(array).permute(2, 0, 1)[None].contiguous()
