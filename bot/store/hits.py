"""Requests that a rule of words refused or whose pictures were hidden, and pauses after many refusals.

The requests are kept for the form that changes their words, and for appeals.
"""

import sqlite3
from datetime import datetime, timedelta
from typing import Final, Self

import msgspec

from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, from_ms, sure, to_json, to_ms
from pipeline.protocol.requests import GenerationRequest, Request

KEPT: Final = timedelta(days=90)
"""Time for which they are stored."""
ALLOWED_FOR: Final = timedelta(days=1)
"""Time within which a request that moderators allow once must be asked for again."""


IMAGE_CHECK: Final = "image-check"


class NewHit(msgspec.Struct, frozen=True, kw_only=True):
    """A refused request.

    Attributes:
        guild_id: the server whose rules apply; 0 outside servers.
        user_id: the member who asked.
        whose: whose rule it is: `owner` or `server`; or `IMAGE_CHECK`, which hid the pictures.
        rule: the rule's number; 0 for none.
        word: the rule's word, with its asterisks; of the image check the worst rating.
        part: the part of the prompt that was read as the word; empty for none.
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
    """The tables of hits and of pauses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewHit, now: datetime) -> int:
        """Store a refused request, and drop old ones; returns its number."""
        return await self._database.write(add_hit, new, now)

    async def get(self, hit_id: int) -> StoredHit | None:
        """A refused request; None if there is none, or no more."""
        row = await self._database.fetch_one("SELECT * FROM hits WHERE hit_id = ?", (hit_id,))
        return None if row is None else StoredHit.from_row(row)

    async def allow(self, hit_id: int, now: datetime) -> None:
        """Allow a request once, within a day."""
        await self._database.change(
            "UPDATE hits SET allowed_until = ? WHERE hit_id = ?", (to_ms(now + ALLOWED_FOR), hit_id)
        )

    async def allowance(self, guild_id: int, user_id: int, request: Request, now: datetime) -> StoredHit | None:
        """The hit whose allowance fits a member's request: the one with the same words; None if there is none."""
        rows = await self._database.fetch_all(
            "SELECT * FROM hits WHERE guild_id = ? AND user_id = ? AND allowed_until > ?",
            (guild_id, user_id, to_ms(now)),
        )
        hits = map(StoredHit.from_row, rows)
        return next((hit for hit in hits if _words_of(hit.request) == _words_of(request)), None)

    async def use_allowance(self, hit_id: int) -> None:
        """End an allowance: its request was accepted."""
        await self._database.change("UPDATE hits SET allowed_until = NULL WHERE hit_id = ?", (hit_id,))

    async def pause(self, guild_id: int, user_id: int, until: datetime, now: datetime) -> None:
        """Pause a member on a server until this time, and drop pauses that are over."""
        await self._database.write(_pause, guild_id, user_id, to_ms(until), to_ms(now))

    async def paused_until(self, guild_id: int, user_id: int, now: datetime) -> datetime | None:
        """The end of a member's pause on a server; None if there is none."""
        row = await self._database.fetch_one(
            "SELECT until FROM pauses WHERE guild_id = ? AND user_id = ? AND until > ?", (guild_id, user_id, to_ms(now))
        )
        return None if row is None else from_ms(row["until"])


def _words_of(request: Request) -> tuple[str, str]:
    return request.prompt, request.negative_prompt if isinstance(request, GenerationRequest) else ""


def add_hit(connection: sqlite3.Connection, new: NewHit, now: datetime) -> int:
    """Store a request, and drop old ones; returns its number."""
    change(connection, "DELETE FROM hits WHERE created_at < ?", (to_ms(now - KEPT),))
    values = {name: getattr(new, name) for name in NewHit.__struct_fields__}
    values |= {"how": to_json(new.how), "request": to_json(new.request), "created_at": to_ms(now)}
    row = fetch_one(
        connection,
        f"INSERT INTO hits ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"  # noqa: S608 - ours
        " RETURNING hit_id",
        values,
    )
    return int(sure(row)["hit_id"])


def _pause(connection: sqlite3.Connection, guild_id: int, user_id: int, until: int, now: int) -> None:
    change(connection, "DELETE FROM pauses WHERE until <= ?", (now,))
    change(
        connection,
        "INSERT INTO pauses VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
        (guild_id, user_id, until),
    )
