"""Reads files as the bot does; says of each how much the bot's memory grew, the seconds, and the answer."""

import asyncio
import sys
import time
from pathlib import Path

from bot.pictures.reading import read_file
from pipeline.protocol.reading import Wanted


def peak() -> int:
    """The highest memory of this process so far, in bytes. What `getrusage` tells has the parent's in it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


async def main() -> None:
    await read_file(b"", Wanted.PICTURE)  # what asyncio needs for its first process is no file's fault
    before = peak()
    for path in sys.argv[1:]:
        began = time.perf_counter()
        found, _ = await read_file(Path(path).read_bytes(), Wanted.PICTURE)
        sys.stdout.write(f"{peak() - before}\t{time.perf_counter() - began:.2f} s\t{found}\n")


asyncio.run(main())
