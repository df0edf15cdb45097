"""Which version of Easel this is."""

from functools import cache
from importlib.metadata import version
from typing import Final

DISTRIBUTION: Final = "easel-bot"
"""Easel's name among Python's packages."""


@cache
def easel_version() -> str:
    """The version, such as `0.1.0`."""
    return version(DISTRIBUTION)
