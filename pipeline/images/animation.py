"""Animations: frames of their own duration in one file, as WebP or GIF."""

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from pipeline.images.xmp import xmp_packet
from pipeline.protocol.exif import exif_with
from pipeline.protocol.wire.settings import AnimationFormat

MOST_BYTES: Final = 8 * 1024 * 1024
"""Greatest size of a file: what Discord takes from everybody, with room for a signature."""
PANE_SIDE: Final = 256
"""Longer side of each of the two pictures in a frame of a making-of, in pixels."""

_QUALITIES: Final = (80, 60, 40)
_COLORS: Final = 128
"""Colors of a GIF's frames; its format allows 256, and half of them make it a third smaller."""
_SHRINK: Final = 0.75
_LEAST_SIDE: Final = 64
_BAR: Final = 24
_GAP: Final = 8


def animated(
    frames: Sequence[Image.Image],
    durations_ms: Sequence[int],
    kind: AnimationFormat,
    *,
    parameters: str = "",
    source_type: str,
    most_bytes: int = MOST_BYTES,
) -> bytes:
    """One file that shows frames again and again. It becomes coarser, then smaller, until it fits.

    Args:
        frames: RGB pictures of one size.
        durations_ms: milliseconds that each of them is shown.
        kind: format of the file.
        parameters: generation parameters; written into WebP, since GIF has no place that programs read.
        source_type: digital source type, which WebP says.
        most_bytes: greatest size of the file.
    """
    coarser = list(_QUALITIES[1:] if kind == "webp" else ())
    quality = _QUALITIES[0]
    while True:
        data = _saved(frames, durations_ms, kind, quality, parameters, source_type)
        if len(data) <= most_bytes or (not coarser and min(frames[0].size) <= _LEAST_SIDE):
            return data
        if coarser:
            quality = coarser.pop(0)
        else:
            width, height = (max(1, round(side * _SHRINK)) for side in frames[0].size)
            frames = [frame.resize((width, height), Image.Resampling.LANCZOS) for frame in frames]


def _saved(
    frames: Sequence[Image.Image],
    durations_ms: Sequence[int],
    kind: AnimationFormat,
    quality: int,
    parameters: str,
    source_type: str,
) -> bytes:
    data = io.BytesIO()
    moving = {"save_all": True, "duration": [*durations_ms], "loop": 0}
    if kind == "gif":
        # Colors that we choose spare Pillow's own search, which takes a hundred times as long.
        first, *rest = [frame.quantize(_COLORS, dither=Image.Dither.NONE) for frame in frames]
        first.save(data, "GIF", append_images=rest, **moving)
    else:
        about = {"exif": exif_with(parameters), "xmp": xmp_packet(source_type).encode()}
        frames[0].save(data, "WEBP", append_images=[*frames[1:]], quality=quality, method=4, **moving, **about)
    return data.getvalue()


def in_a_row(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size side by side, none larger than a pane."""
    scale = min(1.0, PANE_SIDE / max(pictures[0].size))
    width, height = (max(1, round(side * scale)) for side in pictures[0].size)
    row = Image.new("RGB", (len(pictures) * (width + _GAP) - _GAP, height), "white")
    for number, picture in enumerate(pictures):
        row.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (number * (width + _GAP), 0))
    return row


def side_by_side(given: Image.Image, likely: Image.Image, step: int, steps: int) -> Image.Image:
    """A frame of a making-of: what a step began with, what it took the picture to be, and its number below."""
    scale = PANE_SIDE / max(likely.size)
    size = (max(1, round(likely.width * scale)), max(1, round(likely.height * scale)))
    frame = Image.new("RGB", (2 * size[0] + _GAP, size[1] + _BAR), "white")
    frame.paste(given.resize(size, Image.Resampling.LANCZOS), (0, 0))
    frame.paste(likely.resize(size, Image.Resampling.LANCZOS), (size[0] + _GAP, 0))
    draw = ImageDraw.Draw(frame)
    draw.rectangle((0, size[1] + _BAR - 4, round(frame.width * step / steps), frame.height), fill=(88, 101, 242))
    words = f"{step} / {steps}"
    font = ImageFont.load_default(14)
    draw.text(((frame.width - draw.textlength(words, font)) / 2, size[1] + 2), words, fill="black", font=font)
    return frame
