"""Metadata of a posted picture. Only this module of the bot reads strangers' files.

`pipeline.metadata` parses them, with limits for formats, bytes, pixels and memory. It could run in a process of its
own.
"""

from pipeline.metadata import reading


def read_parameters(data: bytes) -> str | None:
    """A picture's generation parameters; None if it has none or is no picture."""
    try:
        return reading.read_parameters(data)
    # A stranger's file may break any parser in any way. Then it counts as a file without parameters.
    except Exception:  # noqa: BLE001 - see above
        return None


def is_picture(data: bytes) -> bool:
    """Whether the format can be parsed: PNG, JPEG or WebP."""
    return reading.is_picture(data)
