"""One warm starter for all bots that a process of the tests starts: else each would pay for the imports again."""

import atexit
import functools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.backends.starter import PRELOADED


@functools.cache
def warm_starter() -> str:
    """The path of its socket, for `EASEL_PIPELINE__STARTER`; it ends with this process."""
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
