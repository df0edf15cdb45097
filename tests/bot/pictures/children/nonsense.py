"""Says what is no answer, for longer than any answer."""

import sys

sys.stdin.buffer.read()
sys.stdout.buffer.write(b"x" * 1_000_000)
