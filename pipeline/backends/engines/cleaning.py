"""What engines of others send is read like a stranger's file, by whoever can do that."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

Clean: TypeAlias = Callable[[bytes], Awaitable[bytes]]
"""Makes a PNG of a strange picture; it raises `NoPicture`."""


class NoPicture(Exception):
    """What an engine sent is no picture that Easel reads."""
