"""Entry point, `python -m pipeline.reading WANTED`: a file comes in, an answer goes out."""

import os
import sys

from pipeline.protocol.reading import MAX_STDIN_BYTES, Wanted
from pipeline.reading.answering import answer, encoded
from pipeline.reading.confinement import confine


def main() -> None:
    """Read the file from standard input, and write the answer to standard output."""
    wanted = Wanted(sys.argv[1])
    confine()
    found, png = answer(sys.stdin.buffer.read(MAX_STDIN_BYTES), wanted)
    sys.stdout.buffer.write(encoded(found))
    sys.stdout.buffer.write(png)
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing is left to clean up


if __name__ == "__main__":
    main()
