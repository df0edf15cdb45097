"""`easel look`: the lines that block pictures."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.cli.entry import EXIT_NO_INPUT
from bot.cli.provenance import ProvenanceFailed, need_libraries
from bot.cli.verify import bytes_of
from bot.safety.image_blocks import line_of
from provenance.messages import Refusal
from provenance.process import read_once


def print_looks(files: Sequence[Path], say: Callable[[str], None]) -> None:
    """Print a line for `safety.image_blocks` for each picture.

    Raises:
        ProvenanceFailed: a file cannot be read, or a library is missing.
    """
    need_libraries()
    for file in files:
        say(f"{line_of(asyncio.run(_look(file)))}  # {file.name.encode(errors='replace').decode()}")


async def _look(file: Path) -> bytes:
    reading = await read_once(bytes_of(file), "")
    if isinstance(reading, Refusal) or reading.fingerprint is None:
        raise ProvenanceFailed(f"{file} is no PNG, JPEG or WebP picture that can be read.", EXIT_NO_INPUT)
    return reading.fingerprint.look
