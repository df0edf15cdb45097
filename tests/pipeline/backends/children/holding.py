"""Holds a device open once it is imported."""

from pathlib import Path

DEVICE = Path("/dev/full").open("rb")  # noqa: SIM115 - it stays open
