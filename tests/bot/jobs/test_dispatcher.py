"""Jobs from the queue to their one end, over a real database, a real worker process and real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import msgspec
import pytest

from bot.quotas.standing import QueueState
from bot.store.members.servers import Decision
from bot.store.members.user_settings import UserSettings
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.engines import DrawnBy
from tests.bot.jobs.conftest import House
from tests.bot.store.conftest import decision

OpenHouse = Callable[..., Awaitable[House]]
SUCCEEDED, FAILED, CANCELLED, QUEUED, RUNNING = (
    JobStatus.SUCCEEDED,
    JobStatus.FAILED,
    JobStatus.CANCELLED,
    JobStatus.QUEUED,
    JobStatus.RUNNING,
)


async def test_a_job_is_drawn_shown_and_charged(open_house: OpenHouse) -> None:
    house = await open_house()
    house.work()
    job = await house.ask(price=3)
    assert (await house.until(job, SUCCEEDED)).attempt == 1
    (attachment,) = house.world.messages[job.message_id or 0]["attachments"]
    assert attachment["filename"].startswith(f"easel-{job.job_id}-")
    assert await house.spent() == 3
    assert await house.broken() == []


async def test_an_attempt_is_written_down_before_the_worker_hears_of_it(open_house: OpenHouse) -> None:
    house = await open_house()
    seen: list[tuple[JobStatus, int]] = []

    async def look(job_id: int) -> None:
        job = await house.services.jobs.get(job_id)
        assert job is not None
        seen.append((job.status, job.attempt))

    house.backend.before_submit = look
    house.work()
    await house.until(await house.ask(), SUCCEEDED)
    assert seen == [(RUNNING, 1)]


async def test_the_worker_is_never_handed_more_than_it_can_batch(open_house: OpenHouse) -> None:
    house = await open_house(quotas={"running_per_user": 0})
    jobs = [await house.ask("wait") for _ in range(5)]
    house.work()
    for job in jobs[:2]:
        await house.until(job, RUNNING)
    # Enough turns of the loop for a third to be claimed, if that were to happen.
    await house.until(await house.ask("wait"), QUEUED)
    assert [(await house.job(job)).status for job in jobs] == [RUNNING, RUNNING, QUEUED, QUEUED, QUEUED]
    assert await house.services.dispatcher.cancel(jobs[0], 1)
    await house.until(jobs[2], RUNNING)
    assert (await house.job(jobs[3])).status is QUEUED


async def test_a_member_runs_no_more_at_once_than_allowed_and_others_go_on(open_house: OpenHouse) -> None:
    house = await open_house(quotas={"running_per_user": 1})
    first, second = await house.ask("wait"), await house.ask("wait")
    other = await house.ask(user=2)
    house.work()
    await house.until(other, SUCCEEDED)
    assert ((await house.job(first)).status, (await house.job(second)).status) == (RUNNING, QUEUED)


async def test_what_kills_the_worker_twice_is_given_back_and_explained(open_house: OpenHouse) -> None:
    house = await open_house()
    house.work()
    job = await house.ask("fall", price=3)
    ended = await house.until(job, FAILED)
    assert (ended.failure, ended.attempt) == (JobFailure.WORKER_DIED, 2)
    await house.until_said(job, "Nothing was charged")
    assert await house.spent() == 0
    await house.until(await house.ask(), SUCCEEDED)
    assert await house.broken() == []


async def test_who_was_beside_it_is_not_blamed(open_house: OpenHouse) -> None:
    house = await open_house(quotas={"running_per_user": 0})
    beside = await house.ask("linger", user=1)
    guilty = await house.ask("fall", user=2)
    house.work()
    assert (await house.until(guilty, FAILED)).failure == JobFailure.WORKER_DIED
    assert (await house.until(beside, SUCCEEDED)).crashes == 1
    assert await house.spent() == 1
    # Both were at hand at the first crash; then each was tried without the other, once.
    assert sorted(house.backend.submitted) == [(beside.job_id, 1), (beside.job_id, 2), *_attempts(guilty, 2)]
    assert await house.broken() == []


async def test_nobody_is_put_beside_a_suspect(open_house: OpenHouse) -> None:
    house = await open_house()
    suspect = await house.ask("wait", crashes=1)
    house.work()
    await house.until(suspect, RUNNING)
    after = await house.ask(user=2)
    await asyncio.sleep(0.2)
    assert (await house.job(after)).status is QUEUED
    await house.services.dispatcher.cancel(suspect, 1)
    await house.until(after, SUCCEEDED)


async def test_a_suspect_waits_until_nobody_is_beside_it(open_house: OpenHouse) -> None:
    house = await open_house()
    first = await house.ask("wait")
    house.work()
    await house.until(first, RUNNING)
    suspect = await house.ask("fall", user=2, crashes=1)
    await asyncio.sleep(0.2)
    assert house.backend.submitted == [(first.job_id, 1)]
    await house.services.dispatcher.cancel(first, 1)
    assert (await house.until(suspect, FAILED)).attempt == 1
    assert (await house.until(first, CANCELLED)).crashes == 0


@pytest.mark.parametrize("prompt", ["wait", "a cat"])
async def test_a_cancelled_job_costs_nothing_wherever_it_is(open_house: OpenHouse, prompt: str) -> None:
    house = await open_house()
    running, waiting = await house.ask("wait"), await house.ask(prompt, price=4)
    other = await house.ask("wait", user=2)
    house.work()
    await house.until(running, RUNNING)
    await house.until(other, RUNNING)
    for job in (waiting, running):
        assert await house.services.dispatcher.cancel(job, 1)
        assert (await house.until(job, CANCELLED)).cancel_requested_by == 1
        await house.until_said(job, "Nothing was charged")
    assert await house.spent() == 1
    assert not await house.services.dispatcher.cancel(waiting, 1)
    assert await house.broken() == []


async def test_a_job_that_is_being_finished_can_be_cancelled(open_house: OpenHouse) -> None:
    house = await open_house()
    house.work()
    job = await house.ask("finishing")
    await house.until(job, RUNNING)
    assert await house.services.dispatcher.cancel(job, 1)
    await house.until(job, CANCELLED)
    await house.until_said(job, "Nothing was charged")
    assert await house.spent() == 0
    assert await house.broken() == []


async def test_a_job_can_be_cancelled_on_its_way_to_the_worker(open_house: OpenHouse) -> None:
    house = await open_house()
    house.backend.is_open.clear()
    house.work()
    job = await house.ask("wait")
    await house.until(job, RUNNING)
    assert await house.services.dispatcher.cancel(job, 1)
    house.backend.is_open.set()
    await house.until(job, CANCELLED)
    assert await house.spent() == 0


async def test_a_paused_server_waits_until_it_is_opened(open_house: OpenHouse) -> None:
    house = await open_house()
    here: Decision = decision()
    await house.services.servers.set_queue_state(here, QueueState.PAUSED)
    job = await house.ask()
    elsewhere = await house.ask(guild=6)
    house.work()
    await house.until(elsewhere, SUCCEEDED)
    assert (await house.job(job)).status is QUEUED
    await house.services.servers.set_queue_state(here, QueueState.OPEN)
    house.services.dispatcher.wake()
    await house.until(job, SUCCEEDED)


async def test_a_job_that_runs_for_too_long_ends(open_house: OpenHouse) -> None:
    house = await open_house(pipeline={"job_timeout_s": 0.2})
    house.work()
    job = await house.ask("wait")
    assert (await house.until(job, FAILED)).failure == "timeout"
    await house.until_said(job, "Nothing was charged")
    assert await house.spent() == 0


async def test_a_job_that_waits_for_too_long_ends(open_house: OpenHouse) -> None:
    house = await open_house(pipeline={"job_timeout_s": 0.2}, quotas={"running_per_user": 1})
    await house.services.servers.set_queue_state(decision(), QueueState.PAUSED)
    job = await house.ask(age=timedelta(hours=25))
    young = await house.ask(age=timedelta(hours=23))
    house.work()
    assert (await house.until(job, FAILED)).failure == "waited"
    await house.until_said(job, "Nothing was charged")
    assert (await house.job(young)).status is QUEUED


async def test_a_shutdown_lets_end_what_ends_in_time_and_keeps_the_rest(open_house: OpenHouse) -> None:
    house = await open_house(quotas={"running_per_user": 0})
    slow = await house.ask("linger")
    house.work()
    await house.until(slow, RUNNING)
    waiting = await house.ask("wait", user=2)
    await house.until(waiting, RUNNING)
    draining = asyncio.create_task(house.services.dispatcher.drain(0.5))
    late = await house.ask(user=3)
    await house.services.dispatcher.cancel(waiting, 2)
    await draining
    assert (await house.job(waiting)).status is CANCELLED
    assert [(await house.job(job)).status for job in (slow, late)] == [QUEUED, QUEUED]
    assert await house.broken() == []
    house = await open_house(quotas={"running_per_user": 0})
    await house.services.dispatcher.recover()
    house.work()
    assert (await house.until(slow, SUCCEEDED)).crashes == 0
    await house.until(late, SUCCEEDED)


async def test_what_ran_when_the_bot_was_killed_runs_again(open_house: OpenHouse) -> None:
    house = await open_house()
    job = await house.ask("linger")
    house.work()
    await house.until(job, RUNNING)
    # No drain: the rooms are closed as by a death.
    house = await open_house()
    await house.services.dispatcher.recover()
    house.work()
    ended = await house.until(job, SUCCEEDED)
    assert (ended.attempt, ended.crashes) == (2, 0)
    assert await house.broken() == []


async def test_what_a_service_may_have_billed_does_not_run_again(open_house: OpenHouse, catalogue: Catalogue) -> None:
    paid = DrawnBy(engine="cloud", model="gpt-image-2", price=0.04)
    catalogue.models = {key: msgspec.structs.replace(spec, drawn_by=paid) for key, spec in catalogue.models.items()}
    catalogue.written = catalogue.models  # what the worker says does not change it
    house = await open_house(quotas={"running_per_user": 0})
    job = await house.ask("linger")
    house.work()
    await house.until(job, RUNNING)
    await house.services.dispatcher.drain(0.1)
    assert (await house.job(job)).status is RUNNING
    house = await open_house()
    await house.services.dispatcher.recover()
    ended = await house.until(job, FAILED)
    assert (ended.failure, ended.attempt) == (JobFailure.MAYBE_BILLED, 1)
    await house.until_said(job, "Nothing was charged")
    assert await house.spent() == 0
    assert await house.broken() == []


async def test_where_the_message_was_deleted_nothing_is_charged(open_house: OpenHouse) -> None:
    house = await open_house()
    house.backend.is_open.clear()
    house.work()
    job = await house.ask()
    await house.until(job, RUNNING)
    del house.world.messages[job.message_id or 0]
    house.backend.is_open.set()
    assert (await house.until(job, FAILED)).failure == "message-gone"
    assert await house.spent() == 0


async def test_who_waits_sees_their_place_move_up(open_house: OpenHouse) -> None:
    house = await open_house(pipeline={"job_timeout_s": 0.1}, quotas={"running_per_user": 0})
    house.backend.is_open.clear()
    old = timedelta(seconds=11)
    # The worker takes two; these are on their way to it.
    jobs = [await house.ask("wait", user=user, age=old) for user in range(1, 6)][1:]
    house.work()
    await house.until_said(jobs[2], "Number 2 in line")
    await house.until_said(jobs[1], "Next in line")
    assert await house.services.dispatcher.cancel(jobs[1], 3)
    await house.until_said(jobs[1], "Cancelled")
    await house.until_said(jobs[2], "Next in line")
    await house.until_said(jobs[3], "Number 2 in line")


@pytest.mark.parametrize("is_told", [True, False])
async def test_who_waited_long_is_told_once_unless_they_do_not_want_it(open_house: OpenHouse, *, is_told: bool) -> None:
    house = await open_house()
    await house.services.user_settings.set(1, UserSettings(notifies_when_done=is_told))
    house.work()
    quick = await house.ask()
    slow = await house.ask(age=timedelta(seconds=31))
    for job in (quick, slow):
        await house.until(job, SUCCEEDED)
    await house.services.dispatcher.drain(5)
    told = [message["content"] for message in house.world.messages.values() if "is done" in message["content"]]
    link = f"[#{slow.job_id}](https://discord.com/channels/5/6/{slow.message_id})"
    assert told == ([f"<@1>, {link} is done."] if is_told else [])


def _attempts(job: Job, count: int) -> list[tuple[int, int]]:
    return [(job.job_id, attempt) for attempt in range(1, count + 1)]


@pytest.mark.parametrize(("where", "among_adults"), [("outside-age-restricted", "rate"), ("everywhere", "hide")])
async def test_the_image_check_knows_where_adults_are_among_themselves(
    open_house: OpenHouse, where: str, among_adults: str
) -> None:
    house = await open_house(pipeline={"check_content": where})
    house.work()
    for is_age_restricted in (False, True):
        await house.until(await house.ask(is_age_restricted=is_age_restricted), SUCCEEDED)
    assert house.backend.checked == [(1, "hide"), (2, among_adults)]


@pytest.mark.parametrize("prompt", ["suggestive", "sexual"])
async def test_a_channel_that_is_for_everybody_by_now_shows_what_they_may_see(
    open_house: OpenHouse, tmp_path: Path, prompt: str
) -> None:
    house = await open_house()
    state = house.services.calls._client._connection
    channel: Any = {"id": "6", "type": 0, "name": "studio", "position": 0, "permission_overwrites": [], "nsfw": False}
    data: Any = {"id": "5", "name": "A server", "roles": [], "emojis": [], "channels": [channel]}
    server = discord.Guild(data=data, state=state)
    state._add_guild(server)
    house.work()
    opened = await house.until(await house.ask(prompt, is_age_restricted=True), SUCCEEDED, FAILED)
    assert not opened.origin.is_age_restricted
    if prompt == "suggestive":
        assert '"spoiler": true' in house.said(opened)
    else:
        assert opened.failure is JobFailure.FLAGGED
        await house.until_said(opened, "was hidden by the safety filter")
        assert [path for path in (tmp_path / "images").rglob("*") if path.is_file()] == []
        assert await house.services.jobs.outputs(opened.job_id) == []
        assert await house.spent() == 0
        assert await house.broken() == []
    channel |= {"nsfw": True}
    server._add_channel(discord.TextChannel(guild=server, state=state, data=channel))
    among_adults = await house.until(await house.ask(prompt, is_age_restricted=True), SUCCEEDED)
    assert ('"spoiler": true' in house.said(among_adults)) == (prompt == "sexual")


async def test_a_check_that_is_off_checks_nothing(open_house: OpenHouse) -> None:
    house = await open_house(safety={"image_check": "off"})
    house.work()
    await house.until(await house.ask(), SUCCEEDED)
    assert house.backend.checked == []


async def test_what_was_hidden_costs_nothing_and_can_be_asked_again(open_house: OpenHouse) -> None:
    house = await open_house()
    house.work()
    job = await house.ask("flagged", price=3)
    ended = await house.until(job, FAILED)
    assert (ended.failure, ended.error_id) == ("flagged", None)
    await house.until_said(job, "hidden by the safety filter")
    assert "Try again" in house.said(job)
    assert house.world.messages[job.message_id or 0]["attachments"] == []
    assert await house.spent() == 0
    assert await house.broken() == []
