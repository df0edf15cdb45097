"""The door of this room: a picture's file in, words out."""

from typing import Final

from pipeline.metadata.containers import is_jpeg, is_png, is_webp
from pipeline.metadata.texts import hidden_in, texts_in
from pipeline.metadata.tools import told_by

MOST_CHARACTERS: Final = 20_000
"""Of what is told."""


def is_picture(data: bytes) -> bool:
    """It begins as one of the formats that are read here."""
    file = memoryview(data)
    return is_png(file) or is_jpeg(file) or is_webp(file)


def read_parameters(data: bytes) -> str | None:
    """How a picture was made, by its own file, in A1111's form where the tool that wrote it is known.

    Whatever the file claims, no more is read of it than `containers`, `texts` and `stealth` bound.

    Returns:
        None where the file says nothing.

    Raises:
        NotAPicture: it is neither PNG nor JPEG nor WebP.
    """
    told = told_by(texts_in(data))
    if told is None and (hidden := hidden_in(data)) is not None:
        told = told_by({"parameters": hidden})
    return None if told is None else told[:MOST_CHARACTERS].strip() or None
