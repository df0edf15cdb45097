"""Backups by themselves: checked, as many as the owner wants, and nothing else is touched."""

import asyncio
import contextlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.store.sqlite import backing_up
from bot.store.sqlite.backing_up import Backups
from bot.store.sqlite.copying import COPY_MARK
from bot.store.sqlite.database import Database

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def backups(database: Database, tmp_path: Path) -> Backups:
    assert database  # it is open, as that of a running bot
    return Backups(path=tmp_path / "easel.db", folder=tmp_path / "copies", every_h=24.0, keep=2)


async def test_the_newest_stay_and_other_files_too(backups: Backups, tmp_path: Path, store: Any, new_job: Any) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    others = ["easel-old.db", "easel-2026-11-29.db", "notes.txt"]
    for name in others:
        (folder / name).write_text("mine")
    await store.accept(new_job(1), now=NOON)
    for day in range(3):
        await backups.back_up(NOON + timedelta(days=day))
    assert backups.trouble is None
    made = ["easel-2026-11-30T12-00-00.db", "easel-2026-12-01T12-00-00.db"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*others, *made])
    with contextlib.closing(sqlite3.connect(folder / made[0])) as copy:
        assert copy.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
        assert copy.execute("PRAGMA application_id").fetchone() == (COPY_MARK,)


async def test_a_copy_that_breaks_a_promise_is_none(backups: Backups, database: Database, tmp_path: Path) -> None:
    await database.change("INSERT INTO pots VALUES (99, 1, 7, 'period', '2026-11-29', 0, NULL, NULL, 0, 5)")
    await backups.back_up(NOON)
    assert backups.trouble is not None
    assert "breaks the ledger's promises" in backups.trouble.sentence
    assert [*(tmp_path / "copies").iterdir()] == []


async def test_a_failed_backup_is_a_trouble_until_one_succeeds(backups: Backups, tmp_path: Path) -> None:
    (tmp_path / "copies").write_text("a file where the folder should be")
    await backups.back_up(NOON)
    first = backups.trouble
    assert first is not None
    assert f"The backup in {tmp_path / 'copies'} failed" in first.sentence
    await backups.back_up(NOON)
    assert backups.trouble is not None
    assert backups.trouble.since == first.since
    (tmp_path / "copies").unlink()
    await backups.back_up(NOON)
    assert backups.trouble is None


@pytest.mark.parametrize(
    ("age_h", "every_h", "count"),
    [(None, 24.0, 1), (23.0, 24.0, 1), (25.0, 24.0, 2), (-5.0, 24.0, 1), (-30.0, 24.0, 2), (None, 0.0, 0)],
)
async def test_one_is_made_when_the_last_is_old(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_h: float | None, every_h: float, count: int
) -> None:
    assert database
    folder = tmp_path / "copies"
    if age_h is not None:
        folder.mkdir()
        last = folder / "easel-2026-01-01T00-00-00.db"
        last.touch()
        made_at = datetime.now(UTC).timestamp() - age_h * 3_600
        os.utime(last, (made_at, made_at))
    monkeypatch.setattr(backing_up, "_LOOK_S", 0.0)
    looks = 0

    async def look(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 4:
            raise asyncio.CancelledError

    monkeypatch.setattr(backing_up.asyncio, "sleep", look)
    with pytest.raises(asyncio.CancelledError):
        await Backups(path=tmp_path / "easel.db", folder=folder, every_h=every_h, keep=7).run()
    assert len([*folder.glob("*.db")]) == count
