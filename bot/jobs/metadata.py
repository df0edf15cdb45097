"""What made a picture that somebody posted. Strangers' files are looked into here and nowhere else in the bot.

`pipeline.metadata` does it, bounded in formats, bytes, pixels and memory; it can be moved to a process of its own.
"""

from pipeline.metadata import reading


def read_parameters(data: bytes) -> str | None:
    """The words of a picture's file about how it was made; None where it says nothing, or is no picture."""
    try:
        return reading.read_parameters(data)
    # A file from anybody may break any reader in any way; then it says nothing that can be read.
    except Exception:  # noqa: BLE001 - see above
        return None


def is_picture(data: bytes) -> bool:
    """It is of a format that is looked into: PNG, JPEG or WebP."""
    return reading.is_picture(data)
