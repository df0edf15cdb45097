"""Held jobs: drawn and seen by nobody, without a slot of their member, until a moderator or a day ends that."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Refused
from bot.jobs.overdue import HELD_FOR
from bot.store.members.servers import Decision
from bot.store.rows.cases import CaseKind, Outcome
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Hold, Job, JobStatus
from tests.bot.jobs.conftest import PATIENCE_S, House

OpenHouse = Callable[..., Awaitable[House]]
BY = Decision(guild_id=5, actor_id=99, now=datetime(2026, 5, 1, tzinfo=UTC))


async def held(house: House, **values: Any) -> Job:
    """A job that is drawn and waits for a moderator."""
    job = await house.ask(hold=Hold.WANTED, **values)
    await house.until_said(job, "A moderator looks at it before it is shown")
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await house.services.cases.waiting(5, 9)).cases:
            await asyncio.sleep(0.01)
    assert (found.cases[-1].kind, found.cases[-1].job_id) == (CaseKind.HELD, job.job_id)
    return await house.job(job)


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "images").rglob("*") if path.is_file()]


async def test_a_held_job_keeps_its_price_and_takes_no_slot(open_house: OpenHouse, tmp_path: Path) -> None:
    house = await open_house(quotas={"running_per_user": 1})
    house.work()
    job = await held(house)
    assert (job.status, job.hold) == (JobStatus.RUNNING, Hold.HELD)
    assert "attachment://" not in house.said(job)
    assert await house.spent() == job.price
    assert files(tmp_path)
    assert await house.services.queue.running() == []
    other = await house.ask("a dog")
    await house.until(other, JobStatus.SUCCEEDED)
    assert await house.broken() == []


async def test_a_moderator_has_it_shown_also_after_a_restart(open_house: OpenHouse) -> None:
    house = await open_house()
    house.work()
    job = await held(house)
    house = await open_house()
    await house.services.dispatcher.recover()
    house.work()
    assert (await house.job(job)).hold is Hold.HELD
    (case,) = (await house.services.cases.waiting(5, 9)).cases
    decided = await house.services.reviewing.release(BY, case, Outcome.SHOW)
    assert decided.outcome is Outcome.SHOW
    house.services.dispatcher.show_held(job)
    await house.until(job, JobStatus.SUCCEEDED)
    assert "attachment://" in house.said(job)
    assert await house.spent() == job.price
    with pytest.raises(Refused, match="refused-case-decided"):
        await house.services.reviewing.release(BY, case, Outcome.REFUSE)
    assert await house.broken() == []


async def test_what_a_moderator_refuses_is_given_back_and_leaves_no_file(open_house: OpenHouse, tmp_path: Path) -> None:
    house = await open_house()
    house.work()
    job = await held(house)
    (case,) = (await house.services.cases.waiting(5, 9)).cases
    await house.services.reviewing.release(BY, case, Outcome.REFUSE)
    house.services.dispatcher.end_held(job, JobFailure.NOT_ALLOWED)
    ended = await house.until(job, JobStatus.FAILED)
    assert ended.failure is JobFailure.NOT_ALLOWED
    assert await house.spent() == 0
    assert files(tmp_path) == []
    assert await house.services.jobs.drawn_and_not_shown(5, 1, BY.now, 9) == []
    assert await house.broken() == []


async def test_after_a_day_it_ends_by_itself_with_its_case(open_house: OpenHouse, tmp_path: Path) -> None:
    house = await open_house()
    house.work()
    job = await held(house)
    dispatcher = house.services.dispatcher
    overdue, endings = dispatcher._overdue, dispatcher._endings
    await overdue.sweep(datetime.now(UTC) + HELD_FOR - timedelta(minutes=5), endings, dispatcher._is_owned)
    assert (await house.job(job)).status is JobStatus.RUNNING
    await overdue.sweep(datetime.now(UTC) + HELD_FOR, endings, dispatcher._is_owned)
    ended = await house.until(job, JobStatus.FAILED)
    assert ended.failure is JobFailure.NOT_REVIEWED
    assert await house.spent() == 0
    assert (await house.services.cases.waiting(5, 9)).count == 0
    removals = await house.database.fetch_all("SELECT sha256 FROM removals")
    assert [row["sha256"] for row in removals] == [path.stem for path in files(tmp_path)]


async def test_its_member_cancels_it_and_its_files_go_at_once(open_house: OpenHouse, tmp_path: Path) -> None:
    house = await open_house()
    house.work()
    job = await held(house)
    assert files(tmp_path)
    sweeping = asyncio.create_task(house.services.sweeping.run())
    assert await house.services.dispatcher.cancel(job, job.requester_id)
    assert (await house.job(job)).status is JobStatus.CANCELLED
    async with asyncio.timeout(PATIENCE_S):  # the hourly sweep was before
        while files(tmp_path):
            await asyncio.sleep(0.01)
    sweeping.cancel()
    assert (await house.services.cases.waiting(5, 9)).count == 0
    assert await house.spent() == 0
    assert await house.broken() == []
