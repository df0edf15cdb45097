"""Sends a picture without an end."""

import sys

sys.stdin.buffer.read()
sys.stdout.buffer.write(b'{"type":"picture","width":64,"height":64}\n')
while True:
    sys.stdout.buffer.write(bytes(1 << 16))
