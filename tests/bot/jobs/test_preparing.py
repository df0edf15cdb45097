"""The first job after a start, after the loss of a worker, and with a model that must be loaded first."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bot.jobs.waiting import WaitingLine
from bot.presenting.jobs.job_message import Prospect
from bot.store.rows.jobs import JobStatus
from bot.store.timings import Preparation, TimingRepository
from pipeline.backends.base import Start
from tests.bot.jobs.conftest import PATIENCE_S, House

Open = Callable[..., Awaitable[House]]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the late worker looks."""
    (tmp_path / "late").mkdir()
    return tmp_path / "late"


async def learnt_s(house: House, kind: Preparation, key: str) -> float:
    """What is known of a start or a loading, as soon as something is."""
    timings = TimingRepository(house.database)
    async with asyncio.timeout(PATIENCE_S):
        while (seconds := await timings.preparation_s(kind, key)) is None:
            await asyncio.sleep(0.01)
    return seconds


async def teach(house: House, kind: Preparation, key: str, seconds: float) -> None:
    await TimingRepository(house.database).learn_preparation(kind, key, seconds)


async def refreshed(house: House) -> None:
    """Let the messages of those who wait say what is so now."""
    line = WaitingLine(calls=house.services.calls, queue=house.services.queue)
    await line.refresh(house.services.dispatcher.prospect)


async def test_the_first_job_says_that_easel_starts_and_from_the_second_start_on_until_when(
    open_house: Open, folder: Path
) -> None:
    house = await open_house(worker=("late", str(folder)), is_awaited=False)
    house.work()
    key = house.services.catalogue.default_key
    job = await house.ask()
    assert await house.services.dispatcher.prospect(job) == Prospect(position=1, starts_at=None, is_starting=True)
    await refreshed(house)
    await house.until_said(job, "Easel is starting and draws as soon as the model is loaded.")
    (folder / "ready").touch()
    await house.until(job, JobStatus.SUCCEEDED)
    assert 0 < await learnt_s(house, "start", key) < PATIENCE_S
    (folder / "ready").unlink()

    house = await open_house(worker=("late", str(folder)), is_awaited=False)
    await teach(house, "start", key, 600.0)
    first, second = await house.ask(), await house.ask(user=2)
    prospect = await house.services.dispatcher.prospect(first)
    start = house.backend.status.start
    assert start is not None
    assert prospect.starts_at == start.began_at + timedelta(seconds=await learnt_s(house, "start", key))
    # Nobody knows how long the first will take.
    behind = await house.services.dispatcher.prospect(second)
    assert behind == Prospect(position=2, starts_at=None, is_starting=True)
    await refreshed(house)
    await house.until_said(second, "Number 2 in line. Easel is starting")


async def test_a_start_that_takes_longer_than_those_before_is_not_told_as_over(open_house: Open, folder: Path) -> None:
    house = await open_house(worker=("late", str(folder)), is_awaited=False)
    await teach(house, "start", house.services.catalogue.default_key, 0.001)
    job = await house.ask()
    await asyncio.sleep(0.002)
    assert (await house.services.dispatcher.prospect(job)).starts_at is None


async def test_who_waits_hears_that_the_worker_was_lost(open_house: Open, folder: Path) -> None:
    (folder / "ready").touch()
    house = await open_house(worker=("late", str(folder)))
    house.work()
    fallen = await house.ask("fall")
    await house.until_said(fallen, "Nothing is lost.")
    waiting = await house.ask(user=2)
    await refreshed(house)
    await house.until_said(waiting, "Number 2 in line. Easel is starting")


async def test_a_model_that_is_loaded_first_is_told_with_its_time(open_house: Open, folder: Path) -> None:
    (folder / "ready").touch()
    house = await open_house(worker=("late", str(folder)))
    house.work()
    job = await house.ask("load")
    await house.until_said(job, "Loading the model …")
    (folder / "loaded").touch()
    await house.until(job, JobStatus.SUCCEEDED)
    await learnt_s(house, "load", job.request.model_key)
    await teach(house, "load", job.request.model_key, 600.0)
    (folder / "loaded").unlink()
    again = await house.ask("load")
    await house.until_said(again, "Loading the model … The job starts <t:")
    (folder / "loaded").touch()
    await house.until(again, JobStatus.SUCCEEDED)


@pytest.mark.parametrize(("start_s", "is_told"), [(10, True), (50, False)])
async def test_only_the_time_without_starts_is_a_reason_to_notify(
    open_house: Open, folder: Path, start_s: int, *, is_told: bool
) -> None:
    """A job asked a minute ago, of which the worker started for so long."""
    house = await open_house(worker=("late", str(folder)), is_awaited=False)
    house.work()
    job = await house.ask(age=MINUTE)
    house.backend._vitals.start = Start(began_at=datetime.now(UTC) - timedelta(seconds=start_s))
    (folder / "ready").touch()
    await house.until(job, JobStatus.SUCCEEDED)
    while house.services.dispatcher._endings.tasks:
        await asyncio.wait([*house.services.dispatcher._endings.tasks])
    assert any("is done" in str(message) for message in house.world.messages.values()) is is_told


async def test_the_loading_of_its_model_is_no_reason_to_notify(open_house: Open, folder: Path) -> None:
    (folder / "ready").touch()
    house = await open_house(worker=("late", str(folder)))
    job = await house.ask(age=MINUTE)
    preparing = house.services.dispatcher._preparing
    before = preparing.waited(job)
    await preparing.loaded(job, datetime.now(UTC) - MINUTE)
    assert preparing.waited(job) < before - 0.9 * MINUTE
    other = msgspec.structs.replace(job, job_id=job.job_id + 1)
    assert preparing.waited(other) >= before
