"""Says that its picture is larger than any."""

import sys

sys.stdin.buffer.read()
sys.stdout.buffer.write(b'{"type":"picture","width":64,"height":20000}\npng')
