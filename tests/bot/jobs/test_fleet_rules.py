"""What the dispatcher does for workers on other computers; `tests/hosts` has the hosts themselves."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from bot.jobs.waiting import WaitingLine
from bot.process.troubles import RecentRestarts, warnings_of
from bot.store.rows.jobs import JobStatus
from bot.troubles import Cause
from pipeline.backends.base import HostView, WorkerSilent, WorkerUnavailable
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.messages import Failed
from tests.bot.jobs.conftest import Gate, House

OpenHouse = Callable[..., Awaitable[House]]


@pytest.mark.parametrize(("error", "counted"), [(WorkerUnavailable, 1), (WorkerSilent, 2)])
async def test_an_attempt_that_no_worker_took_does_not_count_and_others_go_first(
    open_house: OpenHouse, error: type[WorkerUnavailable], counted: int
) -> None:
    house = await open_house()
    refused = await house.ask()
    other = await house.ask(user=2)

    async def refuse(job_id: int) -> None:
        if job_id == refused.job_id and not [each for each in house.backend.submitted if each[0] == other.job_id]:
            raise error("The host is full.")

    house.backend.before_submit = refuse
    house.work()
    assert (await house.until(other, JobStatus.SUCCEEDED)).attempt == 1
    assert (await house.until(refused, JobStatus.SUCCEEDED)).attempt == counted


async def test_a_worker_that_does_not_answer_holds_up_no_other(open_house: OpenHouse) -> None:
    house = await open_house()
    stuck = await house.ask()
    others = [await house.ask(user=user) for user in (2, 3, 4)]

    async def be_silent(job_id: int) -> None:
        if job_id == stuck.job_id:
            await asyncio.Event().wait()

    house.backend.before_submit = be_silent
    house.work()
    for other in others:
        await house.until(other, JobStatus.SUCCEEDED)
    assert (await house.job(stuck)).status is JobStatus.RUNNING


async def test_a_lost_host_is_no_crash_of_its_job(open_house: OpenHouse) -> None:
    house = await open_house()
    job = await house.ask("linger")
    house.work()
    await house.until(job, JobStatus.RUNNING)
    async with asyncio.timeout(30):
        while not house.backend.submitted:
            await asyncio.sleep(0.01)
    house.backend._attempts.hand_on(Failed(job_id=job.job_id, attempt=1, reason=FailureReason.HOST_LOST))
    done = await house.until(job, JobStatus.SUCCEEDED)
    assert (done.attempt, done.crashes) == (2, 0)


async def test_the_owner_is_told_that_a_host_rests_or_has_other_weights(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    view = HostView(
        name="attic", state="resting", detail="It failed 3 jobs in a row.", running=0, capacity=4, device="",
        models=(), easel="",
    )  # fmt: skip
    monkeypatch.setattr(Gate, "views", (view,))
    (told,) = warnings_of(house.services, RecentRestarts())
    assert told.cause is Cause.HOST
    assert "attic" in told.sentence
    assert view.detail in told.sentence
    monkeypatch.setattr(
        Gate, "views", (msgspec.structs.replace(view, state="ready", detail="Its weights are others."),)
    )
    (told,) = warnings_of(house.services, RecentRestarts())
    assert (told.cause, told.sentence) == (Cause.WEIGHTS, "The host attic: Its weights are others.")
    monkeypatch.setattr(Gate, "views", (msgspec.structs.replace(view, state="ready", detail=""),))
    assert warnings_of(house.services, RecentRestarts()) == ()


async def test_a_job_says_that_it_waits_for_a_host_with_its_model(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    job = await house.ask()
    key, title = house.services.catalogue.default_key, house.services.catalogue.default.title
    line = WaitingLine(calls=house.services.calls, queue=house.services.queue)
    for offered, words in (
        (frozenset({"other"}), f"Waits for a host with {title}"),
        (frozenset({key}), r"Next in line.\n"),
    ):
        monkeypatch.setattr(Gate, "offered_models", offered)
        await line.refresh(house.services.dispatcher.prospect)
        await house.until_said(job, words)
