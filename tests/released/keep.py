"""Keep the database that this Easel writes, for later versions to be upgraded from: `python -m tests.released.keep`.

The real bot runs with the small Discord until jobs stand in all states. The file has its database as SQL, and the
messages that Discord shows then.
"""

import asyncio
import contextlib
import gzip
import sqlite3
import tempfile
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from bot import app, configure
from bot.client import EaselClient
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from tests.kill_points.members import interaction
from tests.kill_points.tiny_discord import World
from tests.released.scene import ASKED, DATABASES, FIRST, LEFT, LeavesUndone, small_discord

_OPEN_FOR_DISCORD = "SELECT count(*) FROM jobs WHERE message_id IS NULL"
_SETTLED_S = 1.5
"""The last edit of a message comes after the last change of its row."""


class Asks(EaselClient):
    """The real client, to which the interactions come from here, until the file is as it should be."""

    def __init__(self, database: Path) -> None:
        super().__init__()
        self._database = database

    @override
    async def connect(self, *, reconnect: bool = True) -> None:
        for number, prompt in enumerate(ASKED, FIRST):
            self._connection.parse_interaction_create(interaction(number, prompt))
            await asyncio.sleep(0.3)  # one after the other, so that every version's jobs have the same numbers
        await asyncio.wait_for(self._until_left(), 30)
        await asyncio.sleep(_SETTLED_S)

    async def _until_left(self) -> None:
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            while (
                dict(connection.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall()) != LEFT
                or connection.execute("SELECT count(*) FROM expansions").fetchone() != (1,)
                or connection.execute(_OPEN_FOR_DISCORD).fetchone() != (0,)
            ):
                await asyncio.sleep(0.05)


def kept_bytes(database: Path, world: World) -> tuple[int, bytes]:
    """The version of the database, and the content of the file that keeps it."""
    with (
        contextlib.closing(sqlite3.connect(database)) as connection,
        contextlib.closing(sqlite3.connect(":memory:")) as memory,
    ):
        connection.backup(memory)
        (version,) = memory.execute("PRAGMA user_version").fetchone()
        sql = [*memory.iterdump(), f"PRAGMA user_version = {version};"]
    kept = {"sql": sql, "messages": [*world.messages.values()], "originals": world.originals}
    return version, gzip.compress(msgspec.json.encode(kept), mtime=0)


async def main(folder: Path) -> None:
    """Live once in this folder, and keep what is there while the bot still runs."""
    shipped = PipelineSettings()
    async with small_discord(folder) as (world, settings):
        database = folder / "data" / "easel.db"
        kept: list[tuple[int, bytes]] = []

        class Keeps(Asks):
            @override
            async def connect(self, *, reconnect: bool = True) -> None:
                await super().connect(reconnect=reconnect)
                kept.append(kept_bytes(database, world))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app, "make_client", lambda _: Keeps(database))
            patch.setattr(configure, "ProcessBackend", LeavesUndone)
            await app.run_bot(settings, load_catalogue(shipped.catalogue, shipped.default_model), lambda: None)
    ((version, content),) = kept
    (DATABASES / f"{version:04}.json.gz").write_bytes(content)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(Path(temporary)))
