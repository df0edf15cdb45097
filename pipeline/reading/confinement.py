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
_FOR_A_CALL: Final = frozenset({resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE})
"""Limits under which no process reaches the network: a call needs a thread, a socket and the system's certificates."""


def confine(name: str = "easel-reading", *, is_lasting: bool = False, may_call: bool = False) -> None:
    """Set all limits. Later imports fail, since they open files.

    Args:
        name: name of the process.
        is_lasting: whether it works on for its parent, as quick as others, until the parent ends it.
        may_call: whether it keeps the network, and with it files and threads.
    """
    drop_rights(name, niceness=0 if is_lasting else _NICENESS, may_call=may_call)
    spared = (_FOR_A_CALL if may_call else frozenset()) | ({resource.RLIMIT_CPU} if is_lasting else frozenset())
    for kind, most in LIMITS.items():
        if kind not in spared:
            limit(kind, most)


def drop_rights(name: str, niceness: int = _NICENESS, *, may_call: bool = False) -> None:
    """Give up the network and root's own rights, end with the parent process, and take a name and a low priority.

    A process that `may_call` keeps the network.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        # Many containers forbid it. It takes away root's own rights and the network; the limits are enough for others.
        library.unshare(_CLONE_NEWUSER | (0 if may_call else _CLONE_NEWNET))
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
