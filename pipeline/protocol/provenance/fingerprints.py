"""Fingerprints of pictures, which the worker makes and the bot keeps."""

from typing import Final

import msgspec

LOOK_BYTES: Final = 48
"""Bytes of a look: 384 bits."""
ALIKE_BITS: Final = 24
"""Most different bits of two looks that are called alike. Files that are saved anew stay below it; so do few pictures
of one prompt, so this never proves anything."""

BLOCKED_LOOK_BYTES: Final = 32
"""Bytes of a look by which pictures are blocked: its first 256 bits, which tell shapes and no colors."""
BLOCKED_BITS: Final = 31
"""Most different bits of a picture and a blocked one. It is PDQ's bound:
https://github.com/facebook/ThreatExchange/tree/main/pdq"""


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """Two facts by which a picture is found again.

    Attributes:
        pixels: SHA-256 of the size and the RGB pixels of the file.
        look: 384 bits of which few change when the picture is saved anew.
    """

    pixels: str
    look: bytes
