"""Prints far more than a pipe holds, one line without end among it, before it says that it is ready."""

import sys

from speech import Speech

bot = Speech()
for number in range(5_000):
    sys.stderr.write(f"line {number} of many\n")
sys.stderr.write("x" * 300_000 + "\n")
sys.stdout.write("a word on stdout\n")
sys.stdout.flush()
sys.stderr.write("bytes \udcff of no encoding\n".encode("utf-8", "replace").decode())
bot.begin()
bot.hear()
