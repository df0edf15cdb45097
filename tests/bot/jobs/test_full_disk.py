"""The disk takes nothing while a job runs: that is told, and the pictures come when there is room."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs import storing
from bot.store.rows.jobs import JobStatus
from bot.store.sqlite import statements
from tests.bot.jobs.conftest import House

OpenHouse = Callable[..., Awaitable[House]]
SUCCEEDED, FAILED = JobStatus.SUCCEEDED, JobStatus.FAILED

pytestmark = pytest.mark.timeout(60)


FILL = "CREATE TRIGGER full BEFORE INSERT ON outputs BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
"""Of SQLite's own file every page has room left, so that the table that matters refuses by itself."""


@pytest.mark.parametrize("what", ["images", "database"])
async def test_what_cannot_be_kept_waits_and_is_told(
    open_house: OpenHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(storing, "RETRY_S", 0.05)
    house = await open_house()
    job = await house.ask(price=3)

    async def fill(_: int) -> None:
        if what == "images":
            (tmp_path / "images").write_text("a file where the folder should be")
        else:
            await house.database.change(FILL)

    house.backend.before_submit = fill
    house.work()
    await house.until_said(job, "cannot be kept: the disk of Easel's host takes nothing")
    assert "100 %" not in house.said(job)
    trouble = house.services.storing.trouble
    assert trouble is not None
    assert trouble.sentence.startswith("The disk takes nothing: ")
    was_waiting: list[bool] = []

    async def look(_: int) -> None:
        was_waiting.append(house.services.storing.is_waiting)

    house.backend.before_submit = look
    # The table of jobs still takes what is asked, but nothing starts that could not be kept either.
    later = await house.ask(user=2)
    assert house.services.storing.is_waiting
    if what == "images":
        (tmp_path / "images").unlink()
    else:
        await house.database.change("DROP TRIGGER full")
    for ended in (job, later):
        await house.until(ended, SUCCEEDED)
        assert len(house.world.messages[ended.message_id or 0]["attachments"]) == 1
    assert was_waiting == [False]
    assert (await house.job(job)).attempt == 1
    assert house.services.storing.trouble is None
    assert await house.broken() == []


async def test_pictures_do_not_wait_for_ever(
    open_house: OpenHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "RETRY_S", 0.01)
    monkeypatch.setattr(storing, "KEPT_S", 0.1)
    house = await open_house()
    (tmp_path / "images").write_text("a file where the folder should be")
    house.work()
    job = await house.ask(price=3)
    assert (await house.until(job, FAILED)).failure == "storage"
    await house.until_said(job, "took none of them for some minutes")
    assert await house.spent() == 0
    # There is room again: so the next one goes on as if nothing had been.
    (tmp_path / "images").unlink()
    await house.until(await house.ask(), SUCCEEDED)
    assert house.services.storing.trouble is None


async def test_a_start_on_a_full_disk_waits_for_room(open_house: OpenHouse) -> None:
    house = await open_house()
    job = await house.ask(age=timedelta(minutes=2))
    await house.database.change("UPDATE jobs SET message_id = NULL WHERE job_id = ?", (job.job_id,))
    await house.database.read(statements.change, "PRAGMA query_only = ON")
    await house.services.dispatcher.recover()
    assert house.services.storing.trouble is not None
    await house.database.read(statements.change, "PRAGMA query_only = OFF")
    await house.services.dispatcher.recover()
    assert (await house.job(job)).failure == "unanswered"  # what is there shows no job


async def test_a_disk_that_nobody_tried_of_late_is_not_said_to_be_full(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = (await open_house()).services.storing
    keeping.note_failure(OSError("full"))
    assert keeping.trouble is not None
    monkeypatch.setattr(storing, "_BELIEVED", timedelta(minutes=-1))
    assert keeping.trouble is None
    monkeypatch.setattr(storing, "_BELIEVED", timedelta(minutes=10))
    keeping.note_failure(OSError("full again"))
    assert keeping.trouble is not None
    keeping.note_success()
    assert keeping.trouble is None
