"""Sheets: grids of pictures in one message. Their jobs are usual jobs, found by their keys."""

import sqlite3
from datetime import datetime, timedelta
from typing import Final

from bot.store.rows.jobs import Job
from bot.store.rows.sheets import KEYS, Refusal, Sheet
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import Value, fetch_one, sure, to_json, to_ms

KEPT: Final = timedelta(days=1)
"""Time for which ended sheets are stored, as questions are. Their pictures stay in their jobs."""
_ADD: Final = """
INSERT INTO sheets (sheet_id, guild_id, user_id, message_id, plan, jobs, origin, created_at)
VALUES (:sheet_id, :guild_id, :user_id, :message_id, :plan, :jobs, :origin, :created_at)
ON CONFLICT DO UPDATE SET message_id = message_id RETURNING *
"""
_END: Final = """
UPDATE sheets SET ended_at = :now, origin = json_set(origin, '$.interaction_token', json('null'))
WHERE sheet_id = :sheet AND ended_at IS NULL
"""


class SheetRepository:
    """The table of sheets. A new row also removes old ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, sheet: Sheet) -> Sheet:
        """Store a confirmed sheet; one of the same number stays as it is."""
        values: dict[str, Value] = {
            "sheet_id": sheet.sheet_id,
            "guild_id": sheet.guild_id,
            "user_id": sheet.user_id,
            "message_id": sheet.message_id,
            "plan": to_json(sheet.plan),
            "jobs": to_json(sheet.jobs),
            "origin": to_json(sheet.origin),
            "created_at": to_ms(sheet.created_at),
        }
        return await self._database.write(_add, values, to_ms(sheet.created_at - KEPT))

    async def get(self, sheet_id: int) -> Sheet | None:
        """The sheet of this number; None if it is not kept any more."""
        row = await self._database.fetch_one("SELECT * FROM sheets WHERE sheet_id = ?", (sheet_id,))
        return None if row is None else Sheet.from_row(row)

    async def open(self) -> list[Sheet]:
        """The sheets that may get more pictures."""
        return [
            Sheet.from_row(row)
            for row in await self._database.fetch_all("SELECT * FROM sheets WHERE ended_at IS NULL ORDER BY sheet_id")
        ]

    async def jobs(self, sheet: Sheet) -> dict[int, Job]:
        """The accepted jobs of a sheet, by their cells."""
        last = -sheet.sheet_id * KEYS
        rows = await self._database.fetch_all(
            "SELECT * FROM jobs WHERE interaction_id BETWEEN ? AND ?", (last - KEYS + 1, last)
        )
        jobs = [Job.from_row(row) for row in rows]
        return {sheet.cell_of(job): job for job in jobs}

    async def refuse(self, sheet_id: int, refusal: Refusal) -> None:
        """Note why the cells without a job get none. The first reason stays."""
        await self._database.change(
            "UPDATE sheets SET refusal = ? WHERE sheet_id = ? AND refusal = 'null'", (to_json(refusal), sheet_id)
        )

    async def end(self, sheet_id: int, now: datetime) -> None:
        """Note that a sheet shows all of its pictures, and remove its token."""
        await self._database.change(_END, {"sheet": sheet_id, "now": to_ms(now)})


def _add(connection: sqlite3.Connection, values: dict[str, Value], before: int) -> Sheet:
    connection.execute("DELETE FROM sheets WHERE created_at < ? AND ended_at IS NOT NULL", (before,))
    return Sheet.from_row(sure(fetch_one(connection, _ADD, values)))
