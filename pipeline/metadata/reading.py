"""Entry point of the package: takes a picture's file and returns its generation parameters."""

from typing import Final

from pipeline.metadata.containers import is_jpeg, is_png, is_webp
from pipeline.metadata.texts import hidden_in, texts_in
from pipeline.metadata.tools import parameters_from

MOST_CHARACTERS: Final = 20_000
"""Greatest length of the result in characters."""


def is_picture(data: bytes) -> bool:
    """True when the data begins like a PNG, JPEG or WebP file."""
    file = memoryview(data)
    return is_png(file) or is_jpeg(file) or is_webp(file)


def read_parameters(data: bytes) -> str | None:
    """Read the generation parameters in a picture's file.

    `containers`, `texts` and `stealth` limit how much is read, whatever sizes the file claims.

    Returns:
        Text in A1111's format when the tool is known, or the text as it is; None when the file has none.

    Raises:
        NotAPicture: the file is neither PNG nor JPEG nor WebP.
    """
    parameters = parameters_from(texts_in(data))
    if parameters is None and (hidden := hidden_in(data)) is not None:
        parameters = parameters_from({"parameters": hidden})
    return None if parameters is None else parameters[:MOST_CHARACTERS].strip() or None
