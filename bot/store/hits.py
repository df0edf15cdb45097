"""Requests that a rule of words refused. They are kept for the form that changes their words, and for appeals."""

import sqlite3
from datetime import datetime, timedelta
from typing import Final, Self

import msgspec

from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_all, fetch_one, from_ms, sure, to_json, to_ms
from pipeline.protocol.requests import GenerationRequest, Request

KEPT: Final = timedelta(days=90)
"""Time for which they are stored."""
ALLOWED_FOR: Final = timedelta(days=1)
"""Time within which a request that moderators allow once must be asked for again."""


class NewHit(msgspec.Struct, frozen=True, kw_only=True):
    """A refused request.

    Attributes:
        guild_id: the server whose rules apply; 0 outside servers.
        user_id: the member who asked.
        whose: whose rule it is: `owner` or `server`.
        rule: the rule's number.
        word: the rule's word, with its asterisks.
        part: the part of the prompt that was read as the word.
        how: how it was read, as names of `How`.
        prompt: the member's words for the form.
        request: the request as it was judged.
        locale: the member's language.
    """

    guild_id: int
    user_id: int
    whose: str
    rule: int
    word: str
    part: str
    how: tuple[str, ...]
    prompt: str
    request: Request
    locale: str


class StoredHit(NewHit, frozen=True, kw_only=True):
    """A stored one; `allowed_until` is set while moderators allow the request once."""

    hit_id: int
    allowed_until: datetime | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `hits`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        values["how"] = msgspec.json.decode(values["how"], type=tuple[str, ...])
        values["request"] = msgspec.json.decode(values["request"], type=Request)
        values["allowed_until"] = from_ms(values["allowed_until"])
        return cls(**values)


class HitRepository:
    """The table of hits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewHit, now: datetime) -> int:
        """Store a refused request, and drop old ones; returns its number."""
        return await self._database.write(_add, new, now)

    async def get(self, hit_id: int) -> StoredHit | None:
        """A refused request; None if there is none, or no more."""
        row = await self._database.fetch_one("SELECT * FROM hits WHERE hit_id = ?", (hit_id,))
        return None if row is None else StoredHit.from_row(row)

    async def allow(self, hit_id: int, now: datetime) -> None:
        """Allow a request once, within a day."""
        await self._database.change(
            "UPDATE hits SET allowed_until = ? WHERE hit_id = ?", (to_ms(now + ALLOWED_FOR), hit_id)
        )

    async def allowance(self, guild_id: int, user_id: int, request: Request, now: datetime) -> int | None:
        """The hit whose allowance fits a member's request: the one with the same words; None if there is none."""
        rows = await self._database.fetch_all(
            "SELECT * FROM hits WHERE guild_id = ? AND user_id = ? AND allowed_until > ?",
            (guild_id, user_id, to_ms(now)),
        )
        hits = map(StoredHit.from_row, rows)
        return next((hit.hit_id for hit in hits if _words_of(hit.request) == _words_of(request)), None)

    async def use_allowance(self, hit_id: int) -> None:
        """End an allowance: its request was accepted."""
        await self._database.change("UPDATE hits SET allowed_until = NULL WHERE hit_id = ?", (hit_id,))


def _words_of(request: Request) -> tuple[str, str]:
    return request.prompt, request.negative_prompt if isinstance(request, GenerationRequest) else ""


def _add(connection: sqlite3.Connection, new: NewHit, now: datetime) -> int:
    old = to_ms(now - KEPT)
    for row in fetch_all(connection, "SELECT hit_id FROM hits WHERE created_at < ?", (old,)):
        change(connection, "UPDATE cases SET hit_id = NULL WHERE hit_id = ?", (row["hit_id"],))
    change(connection, "DELETE FROM hits WHERE created_at < ?", (old,))
    values = {name: getattr(new, name) for name in NewHit.__struct_fields__}
    values |= {"how": to_json(new.how), "request": to_json(new.request), "created_at": to_ms(now)}
    row = fetch_one(
        connection,
        f"INSERT INTO hits ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"  # noqa: S608 - ours
        " RETURNING hit_id",
        values,
    )
    return int(sure(row)["hit_id"])
