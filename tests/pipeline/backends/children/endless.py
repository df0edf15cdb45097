"""Is never imported to the end."""

import signal

while True:
    signal.pause()
