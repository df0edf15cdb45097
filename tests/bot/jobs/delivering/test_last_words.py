"""The last word reaches its member, whatever Discord refuses: once, and charged for what arrived alone."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.jobs.delivering import last_words
from bot.presenting.jobs import job_message
from bot.presenting.jobs.output_files import is_output_of
from bot.store.rows.jobs import Job, JobStatus
from tests.bot.jobs.conftest import House
from tests.kill_points.tiny_discord import DIRECT, Payload, Refusal, World

OpenHouse = Callable[..., Awaitable[House]]
CHANNEL = "6"


def shown(message: Payload) -> str:
    return message["content"] + json.dumps(message["components"], ensure_ascii=False)


def messages(world: World, channel: str = CHANNEL) -> list[Payload]:
    return [message for message in world.messages.values() if message["channel_id"] == channel]


async def draw(house: House, prompt: str = "a cat") -> Job:
    """A job that was drawn, has come to its end, and whose member was told so."""
    job = await house.ask(prompt, channel=int(CHANNEL))
    house.work()
    ended = await house.until(job, JobStatus.SUCCEEDED, JobStatus.FAILED)
    async with asyncio.timeout(30):
        while house.services.dispatcher._endings.tasks:
            await asyncio.sleep(0.01)
    assert await house.broken() == []
    return ended


@pytest.mark.parametrize("code", [50083, 160005, 30046, 20022])
async def test_where_a_message_is_edited_no_more_a_new_one_shows_the_pictures(
    open_house: OpenHouse, world: World, code: int
) -> None:
    house = await open_house()
    world.refusals["PATCH"] = Refusal(400, code, "no edits")
    job = await draw(house)
    assert job.status is JobStatus.SUCCEEDED
    old, new = messages(world)
    assert (job.message_id, old["attachments"]) == (int(new["id"]), [])
    assert len(new["attachments"]) == 1
    assert await house.spent() == job.price


async def test_the_old_card_leads_to_the_new_one_once_its_thread_is_open_again(
    open_house: OpenHouse, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    world.refusals["PATCH"] = Refusal(400, 50083, "archived")
    create = world.create

    def reopen(channel: str, body: Payload, files: Payload) -> Payload:
        world.refusals.clear()
        return create(channel, body, files)

    job = await house.ask(channel=int(CHANNEL))
    monkeypatch.setattr(world, "create", reopen)
    house.work()
    job = await house.until(job, JobStatus.SUCCEEDED)
    old, new = messages(world)
    assert f"/{new['id']})" in shown(old)
    assert job.message_id == int(new["id"])


@pytest.mark.parametrize("code", [50083, 160005, 160006, 50013, 50008, 40058, 400001])
async def test_where_no_message_is_taken_the_member_gets_the_pictures(
    open_house: OpenHouse, world: World, code: int
) -> None:
    house = await open_house()
    world.refusals["PATCH"] = Refusal(400, 50083, "archived")
    world.refusals[f"POST {CHANNEL}"] = Refusal(400, code, "closed")
    job = await draw(house)
    (message,) = messages(world, DIRECT)
    assert (job.status, len(message["attachments"])) == (JobStatus.SUCCEEDED, 1)
    assert job_message.SENT_DIRECTLY in job.notices
    assert len(messages(world)) == 1


async def test_what_was_behind_a_spoiler_stays_behind_one_in_a_direct_message(
    open_house: OpenHouse, world: World
) -> None:
    house = await open_house()
    world.refusals["PATCH"] = Refusal(400, 50083, "archived")
    world.refusals[f"POST {CHANNEL}"] = Refusal(400, 160005, "closed")
    job = await draw(house, "suggestive")
    (message,) = messages(world, DIRECT)
    (attachment,) = message["attachments"]
    assert attachment["filename"].startswith("SPOILER_easel-")
    assert is_output_of(job, attachment["filename"])
    assert "A picture is behind a spoiler, because the image check" in shown(message)


@pytest.mark.parametrize("code", [200000, 200001, 240000])
async def test_words_that_a_filter_does_not_take_are_left_out(
    open_house: OpenHouse, world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    house = await open_house()
    change = world.change

    def filtered(number: int, body: Payload, files: Payload) -> Payload:
        if "forbidden" in json.dumps(body):
            raise Refusal(400, code, "blocked")
        return change(number, body, files)

    monkeypatch.setattr(world, "change", filtered)
    job = await draw(house, "a forbidden cat")
    (message,) = messages(world)
    assert (job.status, len(message["attachments"])) == (JobStatus.SUCCEEDED, 1)
    assert "The prompt is not shown" in shown(message)
    assert "Automatic moderation" in shown(message)


async def test_what_even_without_words_is_blocked_goes_to_the_member(open_house: OpenHouse, world: World) -> None:
    house = await open_house()
    world.refusals[f"PATCH {CHANNEL}"] = Refusal(400, 200000, "blocked")
    job = await draw(house)
    (message,) = messages(world, DIRECT)
    assert (job.status, len(message["attachments"])) == (JobStatus.SUCCEEDED, 1)


@pytest.mark.parametrize("code", [0, 50035, 987_654])
async def test_what_nothing_helps_against_is_free_and_told(open_house: OpenHouse, world: World, code: int) -> None:
    house = await open_house()
    world.refusals["PATCH"] = Refusal(400, code, "no")
    job = await draw(house)
    assert (job.status, job.failure, await house.spent()) == (JobStatus.FAILED, "delivery", 0)
    (told,) = messages(world, DIRECT)
    assert "/queue has them" in told["content"]
    assert "Nothing was charged" in told["content"]
    # The card is tried once more a while later.
    world.refusals.clear()
    await house.services.dispatcher._delivery.say_again(datetime.now(UTC) + last_words._AGAIN_AFTER)
    assert "/queue has them" in house.said(job)
    assert "easel:cancel:" not in house.said(job)


async def test_a_host_who_wants_no_direct_messages_sends_none(open_house: OpenHouse, world: World) -> None:
    house = await open_house(delivery={"direct_message": "never"})
    world.refusals["PATCH"] = Refusal(403, 50013, "no")
    job = await draw(house)
    assert (job.status, job.failure) == (JobStatus.FAILED, "not-permitted")
    assert messages(world, DIRECT) == []


@pytest.mark.parametrize("code", [20016, 20028, 20029, 40004, 40062, 130000])
async def test_what_passes_is_waited_for(
    open_house: OpenHouse, world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(last_words, "_FIRST_PAUSE_S", 0.01)
    house = await open_house()
    world.refusals["PATCH"] = Refusal(400, code, "not now")
    job = await house.ask(channel=int(CHANNEL))
    house.work()
    async with asyncio.timeout(30):
        while not await house.services.jobs.outputs(job.job_id):
            await asyncio.sleep(0.01)
    assert (await house.job(job)).status is JobStatus.RUNNING
    world.refusals.clear()
    assert (await house.until(job, JobStatus.SUCCEEDED)).failure is None
    assert len(messages(world)) == 1


async def test_a_reset_token_is_waited_for_as_well(
    open_house: OpenHouse, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_words, "_FIRST_PAUSE_S", 0.01)
    house = await open_house()
    world.refusals["PATCH"] = Refusal(401, 0, "401: Unauthorized")
    job = await house.ask(channel=int(CHANNEL))
    house.work()
    async with asyncio.timeout(30):
        while not await house.services.jobs.outputs(job.job_id):
            await asyncio.sleep(0.01)
    world.refusals.clear()
    assert (await house.until(job, JobStatus.SUCCEEDED)).failure is None


async def test_a_state_between_is_never_posted_anew(open_house: OpenHouse, world: World, tmp_path: Path) -> None:
    """The second message would be taken for the one with the pictures, which has the same nonce."""
    house = await open_house(worker=("frail", "1", "exit", str(tmp_path / "marker")))
    world.refusals["PATCH"] = Refusal(400, 50083, "archived")
    job = await draw(house)
    assert (job.status, job.crashes) == (JobStatus.SUCCEEDED, 1)
    assert [len(message["attachments"]) for message in messages(world)] == [0, 1]


async def test_waiting_ends_with_the_longest_wait_of_a_job(open_house: OpenHouse, world: World) -> None:
    house = await open_house(queue={"max_wait_h": 0.001})
    world.refusals["PATCH"] = Refusal(400, 20028, "not now")
    job = await house.ask(channel=int(CHANNEL), age=timedelta(seconds=2))
    house.work()
    ended = await house.until(job, JobStatus.FAILED, JobStatus.SUCCEEDED)
    assert (ended.failure, await house.spent()) in (("delivery", 0), ("waited", 0))
