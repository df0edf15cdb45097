"""A job's input pictures reach the worker at every attempt, and a job without its pictures ends with a sentence."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image

from bot.interactions.explain import _given
from bot.store.images import ImageStore
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import JobStatus
from tests.bot.jobs.conftest import PATIENCE_S, House

OpenHouse = Callable[..., Awaitable[House]]


async def test_a_retry_and_the_next_start_read_the_pictures_again(open_house: OpenHouse, tmp_path: Path) -> None:
    sha256 = await ImageStore(tmp_path / "inputs").save(b"png")
    house = await open_house()
    house.work()
    job = await house.ask("fall", inputs=(sha256,))
    await house.until(job, JobStatus.FAILED)
    assert house.backend.pictures == [{sha256: b"png"}] * 2
    waiting = await house.ask("wait", inputs=(sha256,))
    await house.until(waiting, JobStatus.RUNNING)
    house = await open_house()
    await house.services.dispatcher.recover()
    house.work()
    async with asyncio.timeout(PATIENCE_S):
        while not house.backend.pictures:
            await asyncio.sleep(0.01)
    assert house.backend.pictures == [{sha256: b"png"}]


async def test_a_job_whose_picture_is_gone_costs_nothing_and_says_so(open_house: OpenHouse, tmp_path: Path) -> None:
    files = ImageStore(tmp_path / "inputs")
    sha256 = await files.save(b"png")
    house = await open_house()
    job = await house.ask(price=3, inputs=(sha256,))
    await files.remove(sha256)
    house.work()
    assert (await house.until(job, JobStatus.FAILED)).failure == JobFailure.INPUT_GONE
    await house.until_said(job, "is not kept here any more")
    assert await house.spent() == 0
    assert house.backend.submitted == []
    # The worker is free for the next one.
    await house.until(await house.ask(), JobStatus.SUCCEEDED)
    assert await house.broken() == []


async def test_details_show_a_given_picture_to_its_giver_alone(open_house: OpenHouse, tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(png, "PNG")
    sha256 = await ImageStore(tmp_path / "inputs").save(png.getvalue())
    house = await open_house()
    job = await house.ask(inputs=(sha256,))
    (picture,) = job.request.inputs
    shown = await _given(house.services, job.requester_id, picture, "given.webp")
    assert shown.is_own
    assert shown.data
    hidden = await _given(house.services, job.requester_id + 1, picture, "given.webp")
    assert not hidden.is_own
    assert hidden.data is None
