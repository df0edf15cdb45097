"""Identity of a file, to detect that another file has taken its name or that its contents have changed."""

import os
from pathlib import Path

from pipeline.engine.failures import ModelUnavailable

Identity = tuple[int, int, int, int]
"""Inode, size, and times of the last change of contents and of inode in nanoseconds.

Only the system sets the inode's time. So a file that was copied with its old modification time is detected too.
"""


def identity_in(facts: os.stat_result) -> Identity:
    """Identity from a file's `stat` result."""
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def identity_of(path: Path) -> Identity:
    """Identity of the file that has this path now.

    Raises:
        ModelUnavailable: the file does not exist or cannot be read; the message is one sentence.
    """
    try:
        return identity_in(path.stat())
    except OSError as error:
        raise ModelUnavailable(f"The file {path.name} cannot be read: {error.strerror}.") from error
