"""Expansions: jobs that a member was asked about in private, until the member starts or dismisses them.

A prompt that stands for several jobs is such a question, and so is a changed part of a picture.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Self

import msgspec

from bot.store.rows.jobs import WantedJob
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.rows.sheets import KEYS, Plan
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Value, fetch_one, from_ms, sure, to_json, to_ms
from pipeline.protocol.requests import Request

MAX_JOBS: Final = KEYS
"""Most jobs of an expansion, far above the settings' limit. The jobs' keys depend on it."""
KEPT: Final = timedelta(days=1)
"""Time for which expansions are stored."""


class NewExpansion(msgspec.Struct, frozen=True, kw_only=True):
    """An expansion before it has an id.

    Attributes:
        guild_id: the server whose rules apply; 0 outside servers.
        channel_id: the channel of the prompt and of the jobs' messages.
        user_id: the member who asked.
        started_by: the command or button that started all its jobs.
        lineage: the parent of its jobs, if they have one.
        jobs: the jobs in the order of their start.
        price: units of all jobs together, as shown in the question.
        plan: the axes, if the jobs fill a sheet.
    """

    guild_id: int
    channel_id: int
    user_id: int
    started_by: StartedBy
    lineage: Lineage | None
    jobs: tuple[WantedJob, ...]
    price: int
    plan: Plan | None = None

    @property
    def requests(self) -> tuple[Request, ...]:
        """The request of each job."""
        return tuple(job.request for job in self.jobs)


class Expansion(NewExpansion, frozen=True, kw_only=True):
    """A stored expansion; `started_at` is the time of the member's confirmation."""

    expansion_id: int
    created_at: datetime
    started_at: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `expansions`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        for name in ("created_at", "started_at"):
            values[name] = from_ms(values[name])
        values["started_by"] = StartedBy(values["started_by"])
        values["lineage"] = msgspec.json.decode(values["lineage"], type=Lineage | None)
        values["jobs"] = msgspec.json.decode(values["jobs"], type=tuple[WantedJob, ...])
        values["plan"] = msgspec.json.decode(values["plan"], type=Plan | None)
        return cls(**values)

    def key(self, number: int) -> int:
        """The key of a job in place of an interaction id. It is negative, and an expansion's key is used once."""
        return -(self.expansion_id * MAX_JOBS + number)


class ExpansionRepository:
    """The table of expansions. A new row also removes expired rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewExpansion, now: datetime) -> Expansion:
        """Store an expansion until its member answers."""
        values = (
            new.guild_id,
            new.channel_id,
            new.user_id,
            new.started_by,
            to_json(new.lineage),
            to_json(new.jobs),
            new.price,
            to_json(new.plan),
            to_ms(now),
        )
        return Expansion.from_row(await self._database.write(_add, values, now))

    async def get(self, expansion_id: int) -> Expansion | None:
        """The expansion with this id; None if there is none."""
        row = await self._database.fetch_one("SELECT * FROM expansions WHERE expansion_id = ?", (expansion_id,))
        return None if row is None else Expansion.from_row(row)

    async def claim(self, expansion_id: int, now: datetime) -> bool:
        """Mark an expansion as started; False if it was already started or dismissed."""
        claimed = await self._database.change(
            "UPDATE expansions SET started_at = ? WHERE expansion_id = ? AND started_at IS NULL",
            (to_ms(now), expansion_id),
        )
        return claimed > 0

    async def change(self, expansion_id: int, jobs: Sequence[WantedJob]) -> bool:
        """Replace an expansion's jobs by others of the same price; False if it was already started or dismissed."""
        changed = await self._database.change(
            "UPDATE expansions SET jobs = ? WHERE expansion_id = ? AND started_at IS NULL",
            (to_json(tuple(jobs)), expansion_id),
        )
        return changed > 0

    async def release(self, expansion_id: int) -> None:
        """Open an expansion again, since none of its jobs could start."""
        await self._database.change("UPDATE expansions SET started_at = NULL WHERE expansion_id = ?", (expansion_id,))

    async def dismiss(self, expansion_id: int) -> bool:
        """Delete an expansion; False if it was already started or is gone."""
        dismissed = await self._database.change(
            "DELETE FROM expansions WHERE expansion_id = ? AND started_at IS NULL", (expansion_id,)
        )
        return dismissed > 0


def _add(connection: sqlite3.Connection, values: Sequence[Value], now: datetime) -> sqlite3.Row:
    """Insert a row, after removing expired rows."""
    connection.execute("DELETE FROM expansions WHERE created_at < ?", (to_ms(now - KEPT),))
    row = fetch_one(
        connection,
        "INSERT INTO expansions (guild_id, channel_id, user_id, started_by, lineage, jobs, price, plan, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
        values,
    )
    return sure(row)
