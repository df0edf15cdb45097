"""Encodes finished pictures as PNG, WebP or JPEG, as the owner's settings say."""

import io
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from pipeline.images.fingerprint import fingerprint
from pipeline.images.label import labeled
from pipeline.images.png import png_bytes, png_of_rows
from pipeline.images.xmp import KEYWORD, xmp_packet
from pipeline.protocol.exif import exif_with
from pipeline.protocol.provenance.fingerprints import Fingerprint
from pipeline.protocol.provenance.source_types import GENERATED
from pipeline.protocol.requests import Upscale
from pipeline.protocol.wire.outputs import CutoutFile, ImageFile, Rating, UpscaledFile
from pipeline.protocol.wire.settings import ImageOutput

_WEBP_METHOD: Final = 2
"""Effort of lossy WebP; it takes half the time of Pillow's default and gives equally small files."""
_LOSSLESS: Final = 100
_CUTOUT_LEVEL: Final = 3


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """Convert pixels [3, h, w] from 0 to 1 to an RGB picture."""
    array = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()
    return Image.fromarray(array)


def encode(
    picture: Image.Image,
    parameters: str,
    output: ImageOutput,
    *,
    index: int,
    seed: int,
    source_type: str = GENERATED,
    rating: Rating = Rating.HARMLESS,
) -> ImageFile:
    """Encode one picture of a job.

    Args:
        picture: an RGB picture.
        parameters: generation parameters; written if `output.has_parameters`.
        output: format of the file.
        index: index of the picture in the job.
        seed: seed of this picture.
        source_type: its digital source type, which every file says.
        rating: what the image check found in it.
    """
    if output.has_label:
        picture = Image.fromarray(labeled(np.asarray(picture)))
    written = parameters if output.has_parameters else ""
    xmp = xmp_packet(source_type)
    is_png = output.image_format == "png"
    data = png_bytes(picture, written, xmp) if is_png else _by_pillow(picture, written, xmp, output)
    return ImageFile(
        index=index,
        data=data,
        media_type=output.media_type,
        width=picture.width,
        height=picture.height,
        seed=seed,
        fingerprint=_fingerprint(np.asarray(picture), data, output),
        rating=rating,
    )


def encode_rows(
    rows: NDArray[np.uint8],
    parameters: str,
    output: ImageOutput,
    *,
    source_type: str = GENERATED,
    rating: Rating = Rating.HARMLESS,
) -> UpscaledFile:
    """Encode a large RGB picture [h, w, 3]. A PNG without a label needs no copy of it; Pillow makes one otherwise.

    Args:
        rows: the picture.
        parameters: written if `output.has_parameters`.
        output: format of the file.
        source_type: its digital source type, which every file says.
        rating: what the image check found in it.
    """
    if output.has_label:
        rows = labeled(rows)
    written = parameters if output.has_parameters else ""
    xmp = xmp_packet(source_type)
    is_png = output.image_format == "png"
    data = png_of_rows(rows, written, xmp) if is_png else _by_pillow(Image.fromarray(rows), written, xmp, output)
    height, width, _ = rows.shape
    return UpscaledFile(
        index=0,
        data=data,
        media_type=output.media_type,
        width=width,
        height=height,
        fingerprint=_fingerprint(rows, data, output),
        rating=rating,
    )


def encode_cutout(
    picture: Image.Image,
    parameters: str,
    output: ImageOutput,
    *,
    source_type: str = GENERATED,
    rating: Rating = Rating.HARMLESS,
) -> CutoutFile:
    """Encode an RGBA picture as PNG, since JPEG has no transparency. `encode_rows` explains the other arguments."""
    if output.has_label:
        picture = Image.fromarray(labeled(np.asarray(picture)))
    texts = PngImagePlugin.PngInfo()
    if output.has_parameters:
        texts.add_text("parameters", parameters)
    texts.add_itxt(KEYWORD, xmp_packet(source_type))
    data = io.BytesIO()
    picture.save(data, "PNG", pnginfo=texts, compress_level=_CUTOUT_LEVEL)
    seen = Image.new("RGBA", picture.size, "white")
    seen.alpha_composite(picture)
    return CutoutFile(
        index=0,
        data=data.getvalue(),
        media_type="image/png",
        width=picture.width,
        height=picture.height,
        fingerprint=fingerprint(np.asarray(seen.convert("RGB"))),
        rating=rating,
    )


def _fingerprint(rows: NDArray[np.uint8], data: bytes, output: ImageOutput) -> Fingerprint:
    """The fingerprint of the picture that readers of the file see: of a lossy file, its own pixels."""
    if output.image_format == "png":
        return fingerprint(rows)
    with Image.open(io.BytesIO(data), formats=[output.image_format]) as opened:
        return fingerprint(np.asarray(opened.convert("RGB")))


def resampled(picture: Image.Image, upscale: Upscale | None) -> Image.Image:
    """Resample a picture to its upscaled size, unless it had a second pass or no upscale was requested."""
    if upscale is None or upscale.strength > 0:
        return picture
    size = (picture.width * upscale.scale, picture.height * upscale.scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _by_pillow(picture: Image.Image, parameters: str, xmp: str, output: ImageOutput) -> bytes:
    """Encode as JPEG, or as WebP, whose highest quality is lossless.

    Then `quality` means effort, and the least already beats PNG.
    """
    texts = {"exif": exif_with(parameters), "xmp": xmp.encode()}
    if output.image_format == "jpeg":
        return _saved(picture, "JPEG", quality=output.quality, **texts)
    if output.quality == _LOSSLESS:
        return _saved(picture, "WEBP", lossless=True, quality=0, method=0, **texts)
    return _saved(picture, "WEBP", quality=output.quality, method=_WEBP_METHOD, **texts)


def _saved(picture: Image.Image, kind: str, **options: int | bytes | Image.Exif) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()
