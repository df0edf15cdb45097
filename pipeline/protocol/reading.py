"""Work and answers of the process that reads strangers' files, `python -m pipeline.reading`.

The bot writes the file to its standard input. The process answers with one line of JSON, and a clean picture after it.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from pipeline.protocol import limits

MAX_FILE_BYTES: Final = 25 * 1024 * 1024
"""Greatest size of a file that is read."""
MAX_PIXELS: Final = 40_000_000
"""Greatest number of pixels of a picture that is decoded."""
MIN_SIDE: Final = 16
MAX_SIDE: Final = 16_384
MAX_RATIO: Final = 8
"""Greatest ratio of a picture's longer side to its shorter one."""
_LENGTH_BYTES: Final = 4
MAX_STDIN_BYTES: Final = 2 * MAX_FILE_BYTES + 1024
"""Most bytes that the process reads: two files, and the facts about them."""
MAX_CLEAN_BYTES: Final = 4 * limits.MAX_INPUT_SIDE**2
"""Greatest size of a clean picture: more than its pixels without compression."""

_Side = Annotated[int, msgspec.Meta(ge=1, le=limits.MAX_INPUT_SIDE)]


class Wanted(StrEnum):
    """What is read in a file: the argument of the process."""

    PICTURE = "picture"
    PARAMETERS = "parameters"
    MARKS = "marks"
    """What is painted on a copy of a picture: the file is `joined` of the picture and the copy."""
    LOOK = "look"
    """A picture with its part to change tinted. The file is `joined` of an `Inpaint` in JSON and of two pictures; these
    are `joined` of a mask, which may be empty, and the picture itself."""


class PictureFault(StrEnum):
    """Why a file gives no picture. The text `refused-picture-…` explains each to members."""

    UNREADABLE = "unreadable"
    """The file is damaged or cut off, or reading it took too much."""
    FORMAT = "format"
    """The file is no picture, or its format is not read."""
    HEIC = "heic"
    """The file is a HEIC picture."""
    PIXELS = "pixels"
    """The picture has too many pixels."""
    SIDES = "sides"
    """A side is too short or too long."""
    RATIO = "ratio"
    """One side is too long compared with the other."""
    SHAPE = "shape"
    """A painted copy has another shape than its picture."""
    UNMARKED = "unmarked"
    """Nothing is painted on a copy, or nothing is left of a part to change."""


class CleanPicture(msgspec.Struct, frozen=True, kw_only=True, tag="picture"):
    """A picture was read or drawn. The file that follows is an RGB PNG without anything but pixels.

    Attributes:
        width: width of the PNG in pixels.
        height: its height in pixels.
        has_more_frames: True if the file has several pictures and only the first was read.
        was_transparent: True if transparent parts became white.
        was_shrunk: True if it was larger and was made smaller.
    """

    width: _Side
    height: _Side
    has_more_frames: bool = False
    was_transparent: bool = False
    was_shrunk: bool = False


class Parameters(msgspec.Struct, frozen=True, kw_only=True, tag="parameters"):
    """Generation parameters in a picture's file; None if it has none."""

    text: str | None


class Unreadable(msgspec.Struct, frozen=True, kw_only=True, tag="unreadable"):
    """The file gives nothing. `detail` is for the log only."""

    fault: PictureFault
    detail: str = ""


ReadingAnswer: TypeAlias = CleanPicture | Parameters | Unreadable


def joined(first: bytes | bytearray, second: bytearray) -> bytearray:
    """Two files as one, for `Wanted` that needs both. The second one itself grows, so that no large file is copied."""
    second[:0] = len(first).to_bytes(_LENGTH_BYTES, "big") + first
    return second


def parted(data: bytes) -> tuple[bytes, bytes]:
    """The two files that `joined` put together."""
    start = _LENGTH_BYTES
    end = start + int.from_bytes(data[:start], "big")
    return data[start:end], data[end:]


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The weights are written.

    Attributes:
        network: spandrel's name of the architecture; empty if spandrel does not know it.
        purpose: spandrel's word for what the network is for: `SR`, `FaceSR` or `Restoration`.
        scale: factor between the sides of its result and those of its input.
        license: terms of the architecture, where they forbid something; empty otherwise.
    """

    network: str = ""
    purpose: str = ""
    scale: int = 1
    license: str = ""


class NotConverted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The file holds no weights that can be read safely; the sentence says why."""

    sentence: str


ConvertingAnswer: TypeAlias = Converted | NotConverted
"""Every answer of the process."""
