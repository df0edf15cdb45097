"""Prompts that stand for several jobs, until their member says yes or no."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Self

import msgspec

from bot.store.rows import AskerDefaults, JobKind, Lineage, from_ms, to_ms
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Value, fetch_one, sure
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

MAX_JOBS: Final = 100
"""Of one expansion, far above what the settings allow: each has a key of its own."""
KEPT: Final = timedelta(days=1)
"""So long it is known what became of an expansion."""


class WantedJob(msgspec.Struct, frozen=True, kw_only=True):
    """One of the jobs, resolved, with which defaults it took, and what is told beside it."""

    request: GenerationRequest
    defaults: AskerDefaults = AskerDefaults()
    notices: tuple[Notice, ...]


class NewExpansion(msgspec.Struct, frozen=True, kw_only=True):
    """What one prompt stands for, before it has a number.

    Attributes:
        guild_id: the server whose rules hold; 0 outside servers.
        channel_id: where it was asked, and where its jobs are shown.
        user_id: who asked.
        kind: of all its jobs.
        lineage: what they are made from, if anything.
        jobs: in the order in which they start.
        price: units of all of them together, as they were told.
    """

    guild_id: int
    channel_id: int
    user_id: int
    kind: JobKind
    lineage: Lineage | None
    jobs: tuple[WantedJob, ...]
    price: int

    @property
    def requests(self) -> tuple[GenerationRequest, ...]:
        """One a job."""
        return tuple(job.request for job in self.jobs)


class Expansion(NewExpansion, frozen=True, kw_only=True):
    """One that is kept; `started_at` is when its member said yes."""

    expansion_id: int
    created_at: datetime
    started_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `expansions`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        for name in ("created_at", "started_at"):
            values[name] = from_ms(values[name])
        values["kind"] = JobKind(values["kind"])
        values["lineage"] = msgspec.json.decode(values["lineage"], type=Lineage | None)
        values["jobs"] = msgspec.json.decode(values["jobs"], type=tuple[WantedJob, ...])
        return cls(**values)

    def key(self, number: int) -> int:
        """What a job has in place of an interaction's id, which is positive: it is never taken twice."""
        return -(self.expansion_id * MAX_JOBS + number)


class ExpansionRepository:
    """One row an expansion; old ones go when new ones come."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewExpansion, now: datetime) -> Expansion:
        """Keep one until it is answered."""
        values = (
            new.guild_id,
            new.channel_id,
            new.user_id,
            new.kind,
            msgspec.json.encode(new.lineage).decode(),
            msgspec.json.encode(new.jobs).decode(),
            new.price,
            to_ms(now),
        )
        return Expansion.from_row(await self._database.write(_add, values, now))

    async def get(self, expansion_id: int) -> Expansion | None:
        """One by its number."""
        row = await self._database.fetch_one("SELECT * FROM expansions WHERE expansion_id = ?", (expansion_id,))
        return None if row is None else Expansion.from_row(row)

    async def take(self, expansion_id: int, now: datetime) -> bool:
        """Say yes; False where somebody was quicker, or said no."""
        taken = await self._database.change(
            "UPDATE expansions SET started_at = ? WHERE expansion_id = ? AND started_at IS NULL",
            (to_ms(now), expansion_id),
        )
        return taken > 0

    async def give_back(self, expansion_id: int) -> None:
        """Open it again, since none of its jobs could start."""
        await self._database.change("UPDATE expansions SET started_at = NULL WHERE expansion_id = ?", (expansion_id,))

    async def drop(self, expansion_id: int) -> bool:
        """Say no; False where it is started, or gone."""
        dropped = await self._database.change(
            "DELETE FROM expansions WHERE expansion_id = ? AND started_at IS NULL", (expansion_id,)
        )
        return dropped > 0


def _add(connection: sqlite3.Connection, values: Sequence[Value], now: datetime) -> sqlite3.Row:
    """A row, after those that nobody answered for long are gone."""
    connection.execute("DELETE FROM expansions WHERE created_at < ?", (to_ms(now - KEPT),))
    row = fetch_one(
        connection,
        "INSERT INTO expansions (guild_id, channel_id, user_id, kind, lineage, jobs, price, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
        values,
    )
    return sure(row)
