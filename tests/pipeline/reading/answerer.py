"""Answers about many files in one process with the limits of the real one, except that of the time."""

import resource
import struct
import sys

from pipeline.protocol.reading import Wanted
from pipeline.reading.answering import answer, encoded
from pipeline.reading.confinement import LIMITS, limit

for kind, most in LIMITS.items():
    if kind != resource.RLIMIT_CPU:
        limit(kind, most)
while head := sys.stdin.buffer.read(5):
    length, is_picture = struct.unpack(">I?", head)
    found, png = answer(sys.stdin.buffer.read(length), Wanted.PICTURE if is_picture else Wanted.PARAMETERS)
    line = encoded(found)
    sys.stdout.buffer.write(struct.pack(">II", len(line), len(png)) + line + png)
    sys.stdout.buffer.flush()
