"""A bot of today begins with the database and the messages that an earlier Easel left, and keeps its promises."""

import asyncio
import contextlib
import gzip
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from bot import app, configure
from bot.client import EaselClient
from bot.presenting.custom_ids import read_press
from bot.store.sqlite.checking import check
from bot.store.sqlite.database import Database
from bot.store.sqlite.migrating import migrations
from bot.views.buttons import PRESSED
from config.catalogue import Catalogue
from tests.kill_points.checking import hash_of
from tests.kill_points.engine import DrawsAtOnce
from tests.kill_points.members import interaction
from tests.kill_points.tiny_discord import World
from tests.released.scene import ASKED, DATABASES, FIRST, LEFT, small_discord

pytestmark = pytest.mark.timeout(60)
ROOT = Path(__file__).parents[2]
KEPT = sorted(int(path.name[:4]) for path in DATABASES.iterdir())
AGAIN = 3001
"""The interaction in which the first member presses 🔁 below the first picture; then comes Start."""
MADE = (*ASKED[:6], ASKED[0], "a red fish", "a green fish")
"""The prompts of all jobs in the end."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier Easel left."""

    sql: list[str]
    messages: list[dict[str, Any]]
    originals: dict[str, int]

    def fill(self, database: Path, world: World) -> None:
        """Write its database, and let Discord have its messages."""
        database.parent.mkdir()
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.executescript("\n".join(self.sql))
            # As if it was left just now: jobs and questions end when they have waited for too long.
            (left_at,) = connection.execute("SELECT max(created_at) FROM jobs").fetchone()
            passed_ms = round(time.time() * 1_000) - left_at
            for table, column in (("jobs", "created_at"), ("jobs", "started_at"), ("expansions", "created_at")):
                connection.execute(f"UPDATE {table} SET {column} = {column} + ?", (passed_ms,))  # noqa: S608 - ours
        world.messages.update({int(message["id"]): message for message in self.messages})
        world.originals.update(self.originals)


def kept_of(version: int) -> Kept:
    return msgspec.json.decode(gzip.decompress((DATABASES / f"{version:04}.json.gz").read_bytes()), type=Kept)


def ids_in(part: Any) -> Iterator[str]:
    """All custom ids in a part of a message."""
    if isinstance(part, list):
        for item in part:
            yield from ids_in(item)
    elif isinstance(part, dict):
        if "custom_id" in part:
            yield part["custom_id"]
        yield from ids_in([*part.values()])


def press(number: int, asked: int, message: dict[str, Any], custom_id: str) -> Any:
    """INTERACTION_CREATE of a button, pressed by the member of the interaction `asked`."""
    pressed = {"custom_id": custom_id, "component_type": 2, "id": 1}
    by = interaction(asked, "")["member"]
    return {**interaction(number, ""), "type": 3, "member": by, "message": message, "data": pressed}


class Presses(EaselClient):
    """The real client. Two old buttons are pressed; it ends when all is drawn."""

    def __init__(self, presses: list[Any], database: Path) -> None:
        super().__init__()
        self._presses = presses
        self._database = database

    @override
    async def connect(self, *, reconnect: bool = True) -> None:
        for pressed in self._presses:
            self._connection.parse_interaction_create(pressed)
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            while connection.execute("SELECT count(*), sum(status IN ('queued', 'running')) FROM jobs").fetchone() != (
                len(MADE),
                0,
            ):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", KEPT)
async def test_jobs_buttons_and_charges_hold_after_an_upgrade(
    version: int, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, path = kept_of(version), tmp_path / "data" / "easel.db"
    drawn, *_, asked_before = kept.messages
    async with small_discord(tmp_path) as (world, settings):
        kept.fill(path, world)
        presses = [
            press(AGAIN, FIRST, drawn, "easel:reroll:1"),
            press(AGAIN + 1, FIRST + len(ASKED) - 1, asked_before, "easel:start:1"),
        ]
        monkeypatch.setattr(app, "make_client", lambda _: Presses(presses, path))
        monkeypatch.setattr(configure, "ProcessBackend", DrawsAtOnce)
        await app.run_bot(settings, catalogue, lambda: None)
    database = await Database.open(path)
    assert [finding for finding in await check(database) if finding.broken] == []
    jobs = await database.fetch_all("SELECT * FROM jobs ORDER BY job_id")
    charges = await database.fetch_all("SELECT job_id, captured, released FROM ledger WHERE kind = 'settle'")
    await database.close()
    assert sorted(msgspec.json.decode(job["request"])["prompt"] for job in jobs) == sorted(MADE)
    assert [job["job_id"] for job in jobs if job["status"] != "succeeded"] == [3]
    assert sorted(tuple(row) for row in charges) == [
        (job["job_id"], int(job["job_id"] != 3), int(job["job_id"] == 3)) for job in jobs
    ]
    # What was open is shown where its member waits for it, and nothing that was shown is shown again.
    shown = {number: [file["sha256"] for file in message["attachments"]] for number, message in world.messages.items()}
    for job in jobs:
        prompt = msgspec.json.decode(job["request"])["prompt"]
        assert shown[job["message_id"]] == ([hash_of(prompt)] if job["job_id"] != 3 else [])
    assert sum(map(len, shown.values())) == len(MADE) - 1


@pytest.mark.parametrize("version", KEPT)
def test_each_button_of_an_earlier_message_is_known(version: int) -> None:
    found = [custom_id for message in kept_of(version).messages for custom_id in ids_in(message["components"])]
    assert len(found) > sum(LEFT.values())
    for custom_id in found:
        assert read_press(custom_id).action in PRESSED, custom_id


def test_a_released_version_keeps_its_database() -> None:
    """Before a release: `just keep`."""
    newest = re.search(r"^## \[\S+\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == "unreleased" or max(migrations()) in KEPT
