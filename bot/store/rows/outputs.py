"""Finished outputs of jobs as frozen data, from and to rows."""

import sqlite3
from typing import Self

import msgspec

from pipeline.protocol.wire.outputs import Rating


class NewOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A finished output on disk, found by its hash.

    `output_index` is its index among the requested outputs. `kind` is the tag of `Output` in
    `pipeline.protocol.wire.outputs`.
    """

    output_index: int
    kind: str
    sha256: str
    media_type: str
    size_bytes: int
    rating: Rating = Rating.HARMLESS
    width: int | None = None
    height: int | None = None
    seed: int | None = None

    @property
    def sides(self) -> tuple[int, int] | None:
        """Width and height in pixels; None for an output that has none."""
        return None if self.width is None or self.height is None else (self.width, self.height)


class NewFingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """By what a finished picture is found again: `Fingerprint`, and the manifest of its signature, if it has one."""

    image_index: int
    pixels: str
    look: bytes
    manifest: str | None


class Output(NewOutput, frozen=True, kw_only=True):
    """A stored output."""

    job_id: int

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `outputs`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        values["rating"] = Rating(values["rating"])
        return cls(**values)
