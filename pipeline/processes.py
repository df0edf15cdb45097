"""What a worker and a warm starter do alike, before anything else is imported."""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1


def set_variables() -> None:
    """Say to libraries how to thread; they read it when they are imported."""
    # Threads of OpenMP that spin for work slow the bot's process down.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # NumPy's threads begin with its import, serve nothing of ours, and a process that has some cannot be forked.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def set_name(name: str) -> None:
    """Be called so by `ps` and `top`, at most 15 bytes. Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())


def die_with(parent: int) -> None:
    """End by SIGKILL when the thread that started this process ends, even where this process cannot run. Linux alone.

    Args:
        parent: its process id.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # It may have died before the kernel was told.
        if os.getppid() != parent:
            os._exit(0)
