"""Python runs this at its start when `PYTHONPATH` names a copy of its folder: writes down each network connection.

The lines stand in `connections.txt` beside this file. A name is written when it is looked up, an address when something
is sent there. The file stays open, since a process may lose the right to open another.
"""

import os
import sys
from pathlib import Path
from typing import Any

_FILE = os.open(Path(__file__).with_name("connections.txt"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _LOOKUPS:
        os.write(_FILE, f"{arguments[0]}\n".encode())
    elif event in _SENDING and isinstance(arguments[1], tuple):  # a path is a socket on this computer
        os.write(_FILE, f"{arguments[1][0]}:{arguments[1][1]}\n".encode())


sys.addaudithook(_note)
