"""Notifications to systemd for a service of `Type=notify`.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import contextlib
import os
import socket


def notify(*words: str) -> None:
    """Send words such as `READY=1` to systemd. Without systemd, nothing is sent."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.connect(address)
        listener.send("\n".join(words).encode())
