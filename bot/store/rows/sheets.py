"""Sheets as frozen data: the axes of a grid, and the message that shows its pictures together."""

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import msgspec

from bot.store.rows.jobs import Job, JobOrder, WantedJob
from bot.store.rows.origin import Origin
from bot.store.sqlite.statements import from_ms

KEYS: Final = 100
"""Keys of jobs that each expansion has; a sheet has the number of the expansion that asked about it."""
COLUMNS: Final = 6
"""Most pictures side by side where a grid has one axis, so that a phone shows them."""


class AxisName(StrEnum):
    """What an axis changes. The names are stored, and members type them."""

    CFG = "cfg"
    STEPS = "steps"
    SAMPLER = "sampler"
    SEED = "seed"
    MODEL = "model"
    STYLE = "style"
    """The weight of the chosen style."""
    SIZE = "size"
    WORDS = "words"
    """The first value is searched in the prompt, and each value takes its place."""


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """An axis with its values, as they are shown."""

    name: AxisName
    values: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The axes of a grid; without `y` its pictures follow each other in rows. `prompt` is what was typed."""

    prompt: str
    x: Axis
    y: Axis | None = None

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.x.values) * (1 if self.y is None else len(self.y.values))

    @property
    def columns(self) -> int:
        """Pictures side by side."""
        return len(self.x.values) if self.y is not None else min(COLUMNS, len(self.x.values))

    def labels(self, number: int) -> tuple[str, ...]:
        """What a picture has of each axis, as members read it."""
        row, column = divmod(number, len(self.x.values))
        found = [f"{self.x.name} {self.x.values[column]}"]
        if self.y is not None:
            found.append(f"{self.y.name} {self.y.values[row]}")
        return tuple(found)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a sheet gets no more pictures: a key of the texts, and its values."""

    key: str
    values: dict[str, str | int]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A grid whose member confirmed it.

    Attributes:
        sheet_id: its number, that of the expansion that asked about it.
        guild_id: the server whose rules apply; 0 outside servers.
        user_id: the member who pays for it.
        message_id: its message.
        plan: its axes.
        jobs: the wanted job of each cell, row by row.
        origin: the press that confirmed it. Its token is removed with the sheet's end.
        refusal: why the cells without a job get none; None if they get one.
        created_at: when it was confirmed.
        ended_at: when its last picture was shown; None before.
    """

    sheet_id: int
    guild_id: int
    user_id: int
    message_id: int
    plan: Plan
    jobs: tuple[WantedJob, ...]
    origin: Origin
    refusal: Refusal | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `sheets`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        for name in ("created_at", "ended_at"):
            values[name] = from_ms(values[name])
        values["plan"] = msgspec.json.decode(values["plan"], type=Plan)
        values["jobs"] = msgspec.json.decode(values["jobs"], type=tuple[WantedJob, ...])
        values["origin"] = msgspec.json.decode(values["origin"], type=Origin)
        values["refusal"] = msgspec.json.decode(values["refusal"], type=Refusal | None)
        return cls(**values)

    def order(self, cell: int) -> JobOrder:
        """The order of a cell's job. Its key lets it be accepted once, however often it is tried."""
        origin = msgspec.structs.replace(self.origin, interaction_id=-(self.sheet_id * KEYS + cell))
        return self.jobs[cell].order(origin)

    def cell_of(self, job: Job) -> int:
        """The cell of one of its jobs."""
        return -job.origin.interaction_id - self.sheet_id * KEYS


def sheet_of(job: Job) -> int:
    """The sheet of a job that a grid started."""
    return -job.origin.interaction_id // KEYS
