"""What all bots of a test run share, so that each worker starts at once: imported libraries and measurements."""

import atexit
import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from pipeline.backends.starter import PRELOADED

STARTER: Final = "WARM_STARTER"
"""The variable by which a process of xdist learns of the starter that all of them share."""


@functools.cache
def warm_starter() -> str:
    """The path of its socket, for `EASEL_PIPELINE__STARTER`; it ends with the process that first asked."""
    if STARTER in os.environ:
        return os.environ[STARTER]
    folder = tempfile.TemporaryDirectory(prefix="easel-starter-")
    path = Path(folder.name) / "socket"
    command = [sys.executable, "-m", "pipeline.starter", "--listen", str(path)]
    for module in PRELOADED:
        command += ["--preload", module]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def end() -> None:
        process.kill()
        process.wait()
        folder.cleanup()

    atexit.register(end)
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)
    return str(path)


@functools.cache
def _state() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="easel-worker-")


def share_worker_state(storage: Path) -> None:
    """Let the worker of this `storage.directory` know what earlier workers have measured on this computer."""
    storage.mkdir(exist_ok=True)
    if not (storage / "worker").exists():
        (storage / "worker").symlink_to(_state().name)
