"""What members do, on the local Discord, with the real bot, worker and model."""

import asyncio
import io
import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground import LocalDiscord
from playground.people import join
from tests.end_to_end.conftest import PREVIEWS

StartBot = Callable[..., Any]
Message = dict[str, Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


def text_of(message: Message) -> str:
    """Everything that is written in a message, buttons included."""
    return json.dumps(message["components"], ensure_ascii=False) + message["content"]


def has(words: str) -> Callable[[Message], bool]:
    """Whether a message says this."""
    return lambda message: words in text_of(message)


def rows(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the database says."""
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        return connection.execute(sql).fetchall()


async def picture_of(local: LocalDiscord, message: Message) -> Image.Image:
    """The first picture of a message."""
    return Image.open(io.BytesIO(await local.fetch_cdn(message["attachments"][0]["url"])))


async def wait_until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


async def test_ask_reroll_and_press_again_after_a_restart(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    asked = await local.member.slash(
        local.channel, "imagine", prompt="two green frogs --no rain", steps=8, seed=5, images=2
    )
    assert asked.response is not None
    done = await local.wait_for_message(has("seed 5"), 90)
    gallery = next(item for item in done["components"][0]["components"] if item["type"] == 12)
    assert [item["description"] for item in gallery["items"]] == [
        "1 of 2: two green frogs",
        "2 of 2: two green frogs",
    ]
    assert "8 steps" in text_of(done)
    assert "without: rain" in text_of(done)
    picture = await picture_of(local, done)
    assert picture.size == (256, 256)
    assert len(picture.convert("RGB").getcolors(1 << 16) or []) > 100
    assert "Seed: 5" in picture.info["parameters"]

    await local.friend.click(done, label="Reroll")
    await local.wait_for_message(has("Reroll of"), 60)
    await wait_until(lambda: rows(tmp_path, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") == [(2,)])

    assert await bot.stop() == 0
    assert bot.log.count("commands registered") == 1
    await bot.start()
    await local.friend.click(done, label="Reroll")
    await wait_until(lambda: rows(tmp_path, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") == [(3,)], 90)
    assert bot.log.count("commands registered") == 1
    assert rows(tmp_path, "SELECT held + spent FROM pots WHERE kind = 'period' ORDER BY 1") == [(2,), (4,)]
    assert local.gaps == []
    assert "Traceback" not in bot.log


async def test_previews_come_while_it_runs_and_cancel_refunds(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(**PREVIEWS)
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a long train", steps=50, images=4)
    await local.wait_for_message(has("Preview, not finished: a long train"), 60)
    running = await local.wait_for_message(has("Drawing: "))
    refused = await local.friend.click(running, label="Cancel")
    assert "Only the person who asked" in str(refused.response and refused.response.content)
    await local.member.click(running, label="Cancel")
    cancelled = await local.wait_for_message(has("Cancelled. Nothing was charged."))
    assert cancelled["attachments"] == []
    await wait_until(lambda: rows(tmp_path, "SELECT status FROM jobs") == [("cancelled",)])
    assert rows(tmp_path, "SELECT held + spent FROM pots WHERE kind = 'period'") == [(0,)]
    assert rows(tmp_path, "SELECT kind, reserved, captured, released FROM ledger") == [
        ("reserve", 4, 0, 0),
        ("settle", 0, 0, 4),
    ]


async def test_a_waiting_job_is_cancelled_at_once_by_a_moderator(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__RUNNING_PER_USER="1")
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a first star", steps=50, images=2)
    await local.member.slash(local.channel, "imagine", prompt="a second star")
    waiting = await local.wait_for_message(lambda message: "second" in text_of(message))
    assert "line" in text_of(waiting)
    await local.admin.click(waiting, label="Cancel")
    await local.wait_for_message(has("Cancelled by"))
    await local.wait_for_message(lambda message: "first" in text_of(message) and "seed " in text_of(message), 60)
    ends = [("succeeded",), ("cancelled",)]
    await wait_until(lambda: rows(tmp_path, "SELECT status FROM jobs ORDER BY job_id") == ends)


@pytest.mark.parametrize("starter", ["none", "own"])
async def test_a_killed_worker_costs_nothing_but_time(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path, starter: str
) -> None:
    import psutil  # noqa: PLC0415 - only here

    bot = start_bot(EASEL_PIPELINE__STARTER=starter, **PREVIEWS)
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star that survives", steps=50)
    await local.wait_for_message(has("Drawing: "))
    (*_, worker) = psutil.Process(bot.process.pid).children(recursive=True)
    assert worker.name() == "easel-worker"
    worker.send_signal(signal.SIGKILL)
    if starter == "none":
        # A fork may be drawing again before anybody could read this.
        await local.wait_for_message(has("starts again shortly"))
    await local.wait_for_message(has("seed "), 120)
    await wait_until(lambda: rows(tmp_path, "SELECT status, attempt FROM jobs") == [("succeeded", 2)])
    assert rows(tmp_path, "SELECT held + spent FROM pots WHERE kind = 'period'") == [(1,)]


async def test_a_killed_bot_goes_on_where_it_was(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    bot = start_bot(**PREVIEWS)
    await bot.start()
    await bot.wait_for_log("worker ready")
    for number in range(3):
        await local.member.slash(local.channel, "imagine", prompt=f"star {number}", steps=25, images=2)
    await local.wait_for_message(has("Drawing: "))
    await bot.stop(signal.SIGKILL)
    assert rows(tmp_path, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") == [(0,)]
    await bot.start()
    await wait_until(lambda: rows(tmp_path, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") == [(3,)], 120)
    assert rows(tmp_path, "SELECT held + spent FROM pots WHERE kind = 'period'") == [(6,)]
    messages = [message for message in local.messages() if "star " in text_of(message)]
    assert len(messages) == 3
    assert all("seed " in text_of(message) for message in messages)


async def test_twenty_members_at_once_get_their_own_picture_each(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    people = [join(local._env, local.guild, f"m{k}", f"Member {k}") for k in range(20)]
    asked = [
        person.slash(local.channel, "imagine", prompt="a star", steps=3, seed=k) for k, person in enumerate(people)
    ]
    answers = [result.response for result in await asyncio.gather(*asked)]
    impatient = [(person, answer) for person, answer in zip(people, answers, strict=True) if answer][::4]
    assert len(impatient) == 5
    pressed = await asyncio.gather(*(person.click(answer, label="Cancel") for person, answer in impatient))
    assert all(result.acknowledged for result in pressed)
    async with asyncio.timeout(120):
        while rows(tmp_path, "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')") != [(0,)]:
            await asyncio.sleep(0.2)
    kept = rows(tmp_path, "SELECT requester_id, request ->> 'seed', message_id FROM jobs WHERE status = 'succeeded'")
    assert len(kept) >= 15
    for requester, seed, message_id in kept:
        shown = next(message for message in local.messages() if message["id"] == str(message_id))
        assert requester == people[seed].id
        assert f"seed {seed} " in text_of(shown)
        assert len(shown["attachments"]) == 1
    used = rows(tmp_path, "SELECT user_id, held, spent FROM pots WHERE kind = 'period' AND held + spent > 0")
    assert sorted(used) == sorted((requester, 0, 1) for requester, _, _ in kept)
    assert "Traceback" not in bot.log
