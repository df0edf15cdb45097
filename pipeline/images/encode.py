"""Finished pixels as files: PNG, WebP or JPEG, as the owner wants them."""

import io
from typing import Final

import torch
from PIL import Image

from pipeline.images.png import png_bytes
from pipeline.protocol.exif import exif_with
from pipeline.protocol.messages import ImageFile, ImageOutput
from pipeline.protocol.requests import Upscale

_WEBP_METHOD: Final = 2
"""Half the time of Pillow's own choice, and files as small."""
_LOSSLESS: Final = 100


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """Pixels [3, h, w] from 0 to 1 as an RGB picture."""
    array = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()
    return Image.fromarray(array)


def encode(picture: Image.Image, parameters: str, output: ImageOutput, *, index: int, seed: int) -> ImageFile:
    """One picture of a job as a file.

    Args:
        picture: RGB.
        parameters: how it came about; written where the owner wants it in the file.
        output: what the owner wants.
        index: which of the job's pictures.
        seed: of this picture.
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


def resampled(picture: Image.Image, upscale: Upscale | None) -> Image.Image:
    """The picture larger, where that is asked and nothing was drawn anew for it."""
    if upscale is None or upscale.strength > 0:
        return picture
    size = (picture.width * upscale.scale, picture.height * upscale.scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _webp_bytes(picture: Image.Image, parameters: str, quality: int) -> bytes:
    """Without loss at the highest quality; then `quality` is effort, of which the least is enough to beat PNG."""
    exif = exif_with(parameters)
    if quality == _LOSSLESS:
        return _saved(picture, "WEBP", lossless=True, quality=0, method=0, exif=exif)
    return _saved(picture, "WEBP", quality=quality, method=_WEBP_METHOD, exif=exif)


def _saved(picture: Image.Image, kind: str, *, exif: Image.Exif, **options: int) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, exif=exif, **options)
    return data.getvalue()
