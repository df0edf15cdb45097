"""Whether a file is still the one that was read: its name says nothing about what is in it."""

import os
from pathlib import Path

from pipeline.engine.failures import ModelUnavailable

Identity = tuple[int, int, int, int]
"""Inode, size, and when the contents and the inode were last changed, in nanoseconds.

The last of them is set by the system alone, so that a file which was copied with its old time is seen as well.
"""


def identity_in(facts: os.stat_result) -> Identity:
    """From what the system says of a file."""
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def identity_of(path: Path) -> Identity:
    """Of the file that has this name now.

    Raises:
        ModelUnavailable: there is none, or it cannot be looked at; one sentence.
    """
    try:
        return identity_in(path.stat())
    except OSError as error:
        raise ModelUnavailable(f"The file {path.name} cannot be read: {error.strerror}.") from error
