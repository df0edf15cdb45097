"""A worker that is hurt at any of its words costs its jobs nothing but time."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from bot.store.rows.jobs import JobStatus
from tests.bot.jobs.conftest import House

OpenHouse = Callable[..., Awaitable[House]]
WORDS = range(1, 6)
"""Four steps, and the finished picture."""


def child() -> psutil.Process:
    """The worker's process."""
    # Tests of whole bots and of hosts in this process may have left their starter and their server.
    (found,) = (one for one in psutil.Process().children() if "--socket-fd" in one.cmdline())
    return found


async def until_hurt(marker: Path) -> None:
    async with asyncio.timeout(60):
        while not marker.exists():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("kind", ["kill", "crash", "exit", "loop", "stop"])
async def test_the_job_is_drawn_by_the_next_worker(open_house: OpenHouse, tmp_path: Path, kind: str, word: int) -> None:
    house = await open_house(worker=("frail", str(word), kind, str(tmp_path / "hurt")), heartbeat_s=1.0)
    house.work()
    job = await house.ask(price=3)
    ended = await house.until(job, JobStatus.SUCCEEDED)
    assert (ended.attempt, ended.crashes) == (2, 1)
    assert (tmp_path / "hurt").read_text() == kind
    assert len(house.world.messages[job.message_id or 0]["attachments"]) == 1
    assert await house.spent() == 3
    assert await house.broken() == []


@pytest.mark.parametrize("word", WORDS)
async def test_one_that_was_only_stopped_goes_on(open_house: OpenHouse, tmp_path: Path, word: int) -> None:
    marker = tmp_path / "hurt"
    house = await open_house(worker=("frail", str(word), "stop", str(marker)), heartbeat_s=30.0)
    house.work()
    job = await house.ask()
    await until_hurt(marker)
    async with asyncio.timeout(60):
        while child().status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.005)
    assert (await house.job(job)).status is JobStatus.RUNNING
    os.kill(child().pid, signal.SIGCONT)
    assert (await house.until(job, JobStatus.SUCCEEDED)).attempt == 1


@pytest.mark.parametrize("word", WORDS)
async def test_a_cancelled_job_does_not_come_back_with_the_next_worker(
    open_house: OpenHouse, tmp_path: Path, word: int
) -> None:
    marker = tmp_path / "hurt"
    house = await open_house(worker=("frail", str(word), "stop", str(marker)), heartbeat_s=30.0)
    house.work()
    job = await house.ask(price=3)
    await until_hurt(marker)
    assert await house.services.dispatcher.cancel(job, 1)
    child().kill()
    assert (await house.until(job, JobStatus.CANCELLED)).attempt == 1
    assert await house.spent() == 0
