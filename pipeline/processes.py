"""Process setup that workers and the warm starter share; it runs before other imports."""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1
_NEEDED: Final = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


def bare_environment() -> dict[str, str]:
    """Variables of a process that reads strangers' files: Python may not start without them, and none is a secret."""
    return {name: os.environ[name] for name in _NEEDED if name in os.environ}


def set_variables() -> None:
    """Set environment variables for the threads of libraries, which read them when they are imported."""
    # By default, idle OpenMP threads spin, which slows the bot's process down.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # NumPy starts threads at its import. Easel does not need them, and a process with threads cannot be forked safely.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def set_name(name: str) -> None:
    """Set the name of this process for `ps` and `top`, at most 15 bytes; has an effect on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent's starting thread ends; has an effect on Linux only.

    That works even while this process cannot run.

    Args:
        parent: process id of the parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended before this call.
        if os.getppid() != parent:
            os._exit(0)
