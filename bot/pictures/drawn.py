"""Pictures that engines of others drew: as strange as those of members, so they are read in the same way."""

from bot.pictures.reading import read_file
from pipeline.backends.engines.cleaning import NoPicture
from pipeline.protocol.reading import CleanPicture, Unreadable, Wanted


async def clean(data: bytes) -> bytes:
    """The picture as a PNG with nothing but pixels, with no side over `MAX_INPUT_SIDE`.

    Raises:
        NoPicture: it cannot be read.
    """
    answer, png = await read_file(data, Wanted.PICTURE)
    if isinstance(answer, CleanPicture):
        return bytes(png)
    fault = f"{answer.fault}: {answer.detail}" if isinstance(answer, Unreadable) else "another answer"
    raise NoPicture(f"What the engine sent is no picture that Easel reads ({fault}).")
