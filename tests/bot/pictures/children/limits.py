"""Tries, once confined, what hostile code would try; tells what worked."""

import contextlib
import json
import os
import socket
import sys
import tempfile
import threading

from pipeline.reading.confinement import confine

TRIES = {
    "read a file": lambda: os.open(__file__, os.O_RDONLY) + 1,
    "write a file": lambda: os.open(f"{tempfile.gettempdir()}/easel-{os.getpid()}", os.O_WRONLY | os.O_CREAT) + 1,
    "open a socket": socket.socket,
    "use the place of standard input": lambda: (os.close(0), os.open(__file__, os.O_RDONLY)),
    "start a thread": lambda: threading.Thread(target=int).start(),
    "start a process": os.fork,
    "take memory": lambda: bytearray(2 * 1024**3),
}
tempfile.gettempdir()
confine()
worked: list[str] = []
for name, attempt in TRIES.items():
    with contextlib.suppress(OSError, RuntimeError, MemoryError):
        if attempt() == 0:
            os._exit(0)  # the process that was started
        worked.append(name)
text = json.dumps({"worked": worked, "niceness": os.nice(0)})
sys.stdout.write(json.dumps({"type": "parameters", "text": text}) + "\n")
