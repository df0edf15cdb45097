"""Encodes finished pictures as PNG, WebP or JPEG, as the owner's settings say."""

import io
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.images.png import png_bytes, png_of_rows
from pipeline.protocol.exif import exif_with
from pipeline.protocol.messages import ImageFile, ImageOutput
from pipeline.protocol.requests import Upscale

_WEBP_METHOD: Final = 2
"""Effort of lossy WebP; it takes half the time of Pillow's default and gives equally small files."""
_LOSSLESS: Final = 100


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """Convert pixels [3, h, w] from 0 to 1 to an RGB picture."""
    array = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()
    return Image.fromarray(array)


def encode(picture: Image.Image, parameters: str, output: ImageOutput, *, index: int, seed: int) -> ImageFile:
    """Encode one picture of a job.

    Args:
        picture: an RGB picture.
        parameters: generation parameters; written if `output.has_parameters`.
        output: format of the file.
        index: index of the picture in the job.
        seed: seed of this picture.
    """
    written = parameters if output.has_parameters else ""
    match output.image_format:
        case "png":
            data = png_bytes(picture, written)
        case "webp":
            data = _webp_bytes(picture, written, output.quality)
        case "jpeg":
            data = _saved(picture, "JPEG", quality=output.quality, exif=exif_with(written))
    return ImageFile(
        index=index,
        data=data,
        media_type=output.media_type,
        width=picture.width,
        height=picture.height,
        seed=seed,
    )


def encode_rows(rows: NDArray[np.uint8], parameters: str, output: ImageOutput) -> bytes:
    """Encode a large RGB picture [h, w, 3]. A PNG needs no copy of it; for other formats Pillow makes one.

    Args:
        rows: the picture.
        parameters: written if `output.has_parameters`.
        output: format of the file.
    """
    written = parameters if output.has_parameters else ""
    match output.image_format:
        case "png":
            return png_of_rows(rows, written)
        case "webp":
            return _webp_bytes(Image.fromarray(rows), written, output.quality)
        case "jpeg":
            return _saved(Image.fromarray(rows), "JPEG", quality=output.quality, exif=exif_with(written))


def resampled(picture: Image.Image, upscale: Upscale | None) -> Image.Image:
    """Resample a picture to its upscaled size, unless it had a second pass or no upscale was requested."""
    if upscale is None or upscale.strength > 0:
        return picture
    size = (picture.width * upscale.scale, picture.height * upscale.scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _webp_bytes(picture: Image.Image, parameters: str, quality: int) -> bytes:
    """Encode as WebP; the highest quality is lossless. Then `quality` means effort, and the least already beats PNG."""
    exif = exif_with(parameters)
    if quality == _LOSSLESS:
        return _saved(picture, "WEBP", lossless=True, quality=0, method=0, exif=exif)
    return _saved(picture, "WEBP", quality=quality, method=_WEBP_METHOD, exif=exif)


def _saved(picture: Image.Image, kind: str, *, exif: Image.Exif, **options: int) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, exif=exif, **options)
    return data.getvalue()
