"""What the bot believes of a host about its attempts.

A host belongs to somebody whom the owner trusts with words, but it may be broken, or in other hands by now. The bot
makes copies of pictures for Discord, so it takes none whose decoding would cost more than what was asked for.
"""

import io
from collections.abc import Sequence
from typing import Final

import msgspec
from PIL import Image

from pipeline.protocol.limits import MAX_SIDE, UPSCALES
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.hosts import Done, decode_finished
from pipeline.protocol.wire.messages import Finished, Progress
from pipeline.protocol.wire.outputs import Output

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_FILE_PIXELS: Final = (MAX_SIDE * max(UPSCALES)) ** 2
"""Pixels of the largest picture that a model draws, enlarged."""
MAX_PREVIEW_BYTES: Final = 1024 * 1024
_FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


class EndRefused(Exception):
    """The end is no end of its attempt; the message says why."""


def checked_end(body: bytes, done: Done, request: Request | None) -> Finished:
    """The `Finished` in a parcel, if it can be the end of the attempt that the host was given.

    Args:
        body: content of the parcel.
        done: what the host said about it.
        request: the attempt's request; None if it is not known.

    Raises:
        EndRefused: it is the end of another attempt, or has other files than were asked for.
        ProtocolError: it is no `Finished`.
    """
    end = decode_finished(body)
    if (end.job_id, end.attempt) != (done.job_id, done.attempt):
        raise EndRefused("The parcel holds the end of another attempt.")
    check_outputs(end.outputs, len(end.hidden), None if request is None else request.output_count)
    return end


def check_outputs(outputs: Sequence[Output], hidden: int, asked: int | None) -> None:
    """See that a host's outputs can be those that it was asked for.

    Args:
        outputs: its outputs.
        hidden: number of further ones that its image check hid.
        asked: number of outputs that it was asked for; None if that is not known.

    Raises:
        EndRefused: there are more, two in one place, or a file is not what the host says.
    """
    if asked is not None and len(outputs) + hidden > asked:
        raise EndRefused("The host sent more files than were asked for.")
    if len({output.index for output in outputs}) != len(outputs):
        raise EndRefused("The host sent two files in one place.")
    for output in outputs:
        _check(output)


def checked_progress(progress: Progress) -> Progress:
    """A word about an attempt, without its preview if that is no small WebP file."""
    return msgspec.structs.replace(progress, preview=checked_preview(progress.preview))


def checked_preview(preview: bytes) -> bytes:
    """A preview; no bytes if it is no small WebP file. The bot does not open previews."""
    is_webp = preview[:4] == b"RIFF" and preview[8:12] == b"WEBP"
    return preview if is_webp and len(preview) <= MAX_PREVIEW_BYTES else b""


def _check(output: Output) -> None:
    """See that a file is one still picture of the format and size that the host says. No pixel is decoded.

    Raises:
        EndRefused: it is not.
    """
    kind = _FORMATS.get(output.media_type)
    if kind is None or len(output.data) > MAX_FILE_BYTES:
        raise EndRefused(f"A file of the host is no {output.media_type} of at most {MAX_FILE_BYTES} bytes.")
    try:
        with Image.open(io.BytesIO(output.data), formats=(kind,)) as opened:
            size, is_moving = opened.size, getattr(opened, "is_animated", False)
    except Exception as error:  # a parser that meets a hostile file raises whatever it likes
        raise EndRefused(f"A file of the host is no {output.media_type}.") from error
    if size != (output.width, output.height) or is_moving:
        raise EndRefused(f"A picture of the host is not the still one of {output.width} x {output.height} pixels.")
    if size[0] * size[1] > MAX_FILE_PIXELS:
        raise EndRefused(f"A picture of the host has more than {MAX_FILE_PIXELS:,} pixels.")
