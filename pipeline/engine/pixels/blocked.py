"""Pictures that look like blocked ones: saved anew, resized, recolored or mirrored, and cut by a hundredth at most."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.images.fingerprint import look
from pipeline.protocol.provenance.fingerprints import BLOCKED_BITS, BLOCKED_LOOK_BYTES


def is_blocked(picture: Image.Image, blocked: Sequence[bytes]) -> bool:
    """Whether a picture looks like one of the blocked ones, or like its mirror image.

    Args:
        picture: the picture.
        blocked: their looks, `BLOCKED_LOOK_BYTES` bytes each.
    """
    if not blocked:
        return False
    looks = np.frombuffer(b"".join(blocked), np.uint64).reshape(len(blocked), -1)
    rows = np.asarray(picture.convert("RGB"))
    for each in (rows, rows[:, ::-1]):
        ours = np.frombuffer(look(each)[:BLOCKED_LOOK_BYTES], np.uint64)
        if np.bitwise_count(looks ^ ours).sum(axis=1).min() <= BLOCKED_BITS:
            return True
    return False
