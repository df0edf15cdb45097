"""Pictures that a server's moderators blocked, by their looks. Each decision has its audit row.

The table names no person, so the deletion of a person's data changes nothing in it.
"""

import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from bot.store.members.servers import Decision, audit
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, from_ms, sure, to_ms
from pipeline.protocol.provenance.fingerprints import BLOCKED_LOOK_BYTES

MAX_BLOCKS: Final = 1_000
"""Most blocked pictures of a server. All of them go to the worker with each job."""


class TooManyBlocks(Exception):
    """A server would have more blocked pictures than `MAX_BLOCKS`. Nothing was stored."""


class ImageBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A blocked picture: its number on the server, and why and when it was blocked."""

    number: int
    reason: str
    blocked_at: datetime | None


class ImageBlockRepository:
    """The block lists of pictures. Read looks are kept, since every request asks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, tuple[bytes, ...]] = {}
        self._changes = 0

    async def looks(self, guild_id: int) -> tuple[bytes, ...]:
        """The looks that a server blocks, `BLOCKED_LOOK_BYTES` bytes each."""
        known = self._known.get(guild_id)
        if known is None:
            changes = self._changes
            rows = await self._database.fetch_all(
                "SELECT look FROM image_blocks WHERE guild_id = ? ORDER BY number", (guild_id,)
            )
            known = tuple(row["look"] for row in rows)
            if changes == self._changes:  # what changed meanwhile is read anew
                self._known[guild_id] = known
        return known

    async def blocks(self, guild_id: int) -> list[ImageBlock]:
        """The blocked pictures of a server by their numbers."""
        rows = await self._database.fetch_all(
            "SELECT number, reason, blocked_at FROM image_blocks WHERE guild_id = ? ORDER BY number", (guild_id,)
        )
        return [
            ImageBlock(number=row["number"], reason=row["reason"], blocked_at=from_ms(row["blocked_at"]))
            for row in rows
        ]

    async def block_look(self, by: Decision, look: bytes) -> int:
        """Block a picture on a server; returns its number there. A blocked look keeps its number.

        Args:
            by: the server, the moderator, and the reason.
            look: the look of the picture's `Fingerprint`, or its first `BLOCKED_LOOK_BYTES` bytes.

        Raises:
            TooManyBlocks: it does not fit.
        """
        try:
            return await self._database.write(_block_look, by, look[:BLOCKED_LOOK_BYTES])
        finally:
            self._forget(by.guild_id)

    async def unblock(self, by: Decision, number: int) -> bool:
        """Allow a picture again by its number; returns whether it was blocked."""
        try:
            return await self._database.write(_unblock, by, number)
        finally:
            self._forget(by.guild_id)

    def _forget(self, guild_id: int) -> None:
        self._changes += 1
        self._known.pop(guild_id, None)


def _block_look(connection: sqlite3.Connection, by: Decision, look: bytes) -> int:
    row = sure(
        fetch_one(
            connection,
            "INSERT INTO image_blocks SELECT ?1, ifnull(max(number), 0) + 1, ?2, ?3, ?4 FROM image_blocks"
            " WHERE guild_id = ?1 ON CONFLICT (guild_id, look) DO UPDATE SET reason = excluded.reason RETURNING number",
            (by.guild_id, look, by.reason or "", to_ms(by.now)),
        )
    )
    count = sure(fetch_one(connection, "SELECT count(*) AS count FROM image_blocks WHERE guild_id = ?", (by.guild_id,)))
    if count["count"] > MAX_BLOCKS:
        raise TooManyBlocks
    audit(connection, by, "picture-block", str(row["number"]), "")
    return int(row["number"])


def _unblock(connection: sqlite3.Connection, by: Decision, number: int) -> bool:
    values = (by.guild_id, number)
    if not change(connection, "DELETE FROM image_blocks WHERE guild_id = ? AND number = ?", values):
        return False
    audit(connection, by, "picture-unblock", str(number), "")
    return True
