"""What all bots of a test run share, so that each worker starts at once: imported libraries and measurements."""

import atexit
import functools
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from pipeline.backends.starter import PRELOADED

STARTER: Final = "WARM_STARTER"
"""The variable by which a process of xdist learns of the starter that all of them share."""
STATE: Final = "WORKER_STATE"
"""The variable by which it learns of the folder with measurements."""


@functools.cache
def warm_starter() -> str:
    """The path of its socket, for `EASEL_PIPELINE__STARTER`; it ends with the process that first asked."""
    return os.environ.get(STARTER) or shared_starter(*PRELOADED)


@functools.cache
def shared_starter(*preloaded: str) -> str:
    """The path of the socket of a starter that has imported these modules; it ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="easel-starter-")
    path = Path(folder.name) / "socket"
    command = [sys.executable, "-m", "pipeline.starter", "--listen", str(path)]
    for module in preloaded:
        command += ["--preload", module]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def end() -> None:
        process.kill()
        process.wait()
        folder.cleanup()

    atexit.register(end)
    while not _listens(path) and process.poll() is None:
        time.sleep(0.01)
    return str(path)


def _listens(path: Path) -> bool:
    """Whether somebody listens there. The file exists a moment before that."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stream:
        try:
            stream.connect(str(path))
        except OSError:
            return False
    return True


@functools.cache
def worker_state() -> str:
    """A folder for what workers measure on this computer; it ends with the process that first asked."""
    if STATE in os.environ:
        return os.environ[STATE]
    folder = tempfile.TemporaryDirectory(prefix="easel-worker-")
    atexit.register(folder.cleanup)
    return folder.name


def share_worker_state(storage: Path) -> None:
    """Let the worker of this `storage.directory` know what earlier workers have measured on this computer."""
    storage.mkdir(exist_ok=True)
    if not (storage / "worker").exists():
        (storage / "worker").symlink_to(worker_state())
