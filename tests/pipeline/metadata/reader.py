"""A process that reads picture files as the bot does, and tells how much memory and time each took.

`python reader.py FILE…` writes a line a file: the most memory so far beyond what it began with, in bytes; seconds of
the processor; and the first words that it read.
"""

import sys
import time
from pathlib import Path

from tests import picture_files
from tests.picture_files import parameters_in


def most_memory() -> int:
    """Of this process so far, in bytes. What `getrusage` tells has the parent's in it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    # Everything that reading loads is there before anything is measured.
    for usual in (picture_files.stealth(picture_files.A1111), picture_files.png_of({"prompt": picture_files.GRAPH})):
        parameters_in(usual)
    before = most_memory()
    for name in sys.argv[1:]:
        begun = time.process_time()
        found = parameters_in(Path(name).read_bytes())
        taken_s = time.process_time() - begun
        sys.stdout.write(f"{most_memory() - before}\t{taken_s:.3f}\t{found and found[:60]!a}\n")


if __name__ == "__main__":
    main()
