"""What members are told about a file that was read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.errors import Refused
from pipeline.protocol.reading import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MAX_RATIO,
    MAX_SIDE,
    MIN_SIDE,
    CleanPicture,
    PictureFault,
    ReadingAnswer,
    Unreadable,
)
from pipeline.protocol.wire.outputs import Notice

_BOUNDS: Final[Mapping[PictureFault, dict[str, int]]] = MappingProxyType(
    {
        PictureFault.PIXELS: {"limit": MAX_PIXELS // 10**6},
        PictureFault.SIDES: {"lowest": MIN_SIDE, "highest": MAX_SIDE},
        PictureFault.RATIO: {"limit": MAX_RATIO},
    }
)
"""Values of the sentences about faults."""


def too_large() -> Refused:
    """The refusal of a file that is over the limit."""
    return Refused("refused-picture-large", limit=MAX_FILE_BYTES // 2**20)


def refusal(answer: ReadingAnswer) -> Refused:
    """The refusal of a file that gave no picture."""
    fault = answer.fault if isinstance(answer, Unreadable) else PictureFault.UNREADABLE
    return Refused(f"refused-picture-{fault}", **_BOUNDS.get(fault, {}))


def notices(picture: CleanPicture) -> tuple[Notice, ...]:
    """Notices about what is not in a picture any more."""
    facts = {"notice-first-frame": picture.has_more_frames, "notice-transparent": picture.was_transparent}
    return tuple(Notice(key=key) for key, is_true in facts.items() if is_true)
