"""Takes away from this process all that a reader of strangers' files does not need.

Hostile code cannot take it back, unless Easel runs as root on a system that forbids user namespaces.
"""

import contextlib
import ctypes
import os
import resource
import sys
from typing import Final

from pipeline.processes import die_with, set_name

MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 10
_NICENESS: Final = 10
_PR_SET_NO_NEW_PRIVS: Final = 38
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000

LIMITS: Final = {
    resource.RLIMIT_AS: MEMORY_BYTES,
    resource.RLIMIT_CPU: CPU_S,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,  # no file grows
    resource.RLIMIT_NPROC: 0,  # no process and no thread starts
    resource.RLIMIT_NOFILE: 0,  # nothing is opened: no file, no socket, no pipe
}
"""Limits by resource. Descriptors that are open already stay usable."""


def confine(name: str = "easel-reading", *, is_lasting: bool = False) -> None:
    """Set all limits. Later imports fail, since they open files.

    Args:
        name: name of the process.
        is_lasting: whether it works on for its parent, as quick as others, until the parent ends it.
    """
    drop_rights(name, niceness=0 if is_lasting else _NICENESS)
    for kind, most in LIMITS.items():
        if not (is_lasting and kind == resource.RLIMIT_CPU):
            limit(kind, most)


def drop_rights(name: str, niceness: int = _NICENESS) -> None:
    """Give up the network and root's own rights, end with the parent process, and take a name and a low priority."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        # Many containers forbid it. It takes away root's own rights and the network; the limits are enough for others.
        library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    die_with(os.getppid())
    set_name(name)
    os.nice(niceness)


def limit(kind: int, most: int) -> None:
    """Lower a limit for good. A system without this limit does not have it."""
    _, present = resource.getrlimit(kind)
    most = most if present == resource.RLIM_INFINITY else min(most, present)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))
