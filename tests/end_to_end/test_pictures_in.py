"""A picture that a member attaches: drawn from, kept through restarts, and refused with a sentence."""

import asyncio
import io
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from playground import LocalDiscord
from playground.bridge import cdn
from tests.end_to_end.conftest import BotProcess
from tests.pipeline.reading import files

StartBot = Callable[..., BotProcess]


def words_of(result: Any) -> str:
    """All that the member alone reads, however late."""
    answers = [answer for answer in (result.response, *result.followups) if answer is not None]
    return "".join(str(answer.content) + str(answer.components or "") for answer in answers if answer.ephemeral)


async def said(result: Any) -> str:
    async with asyncio.timeout(60):
        while not (words := words_of(result)):
            await asyncio.sleep(0.05)
    return words


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{folder}/data/easel.db?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def with_words(*words: str) -> Callable[[Any], bool]:
    return lambda message: all(each in json.dumps(message["components"], ensure_ascii=False) for each in words)


async def test_a_job_starts_from_a_picture_and_so_does_its_reroll_after_a_restart(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    wide = files.saved(files.colorful((400, 200)), "JPEG", quality=95)
    await local.member.slash(
        local.channel, "imagine", prompt="a star", image=("a.jpg", wide), strength=0.1, steps=20, seed=5
    )
    done = await local.wait_for_message(with_words("seed 5 ", "from a picture", "strength 0.1"), 90)
    picture = Image.open(io.BytesIO(await local.fetch_cdn(done["attachments"][0]["url"]))).convert("RGB")
    assert picture.width > picture.height
    # At this strength the picture is nearly the one that was given.
    left, right = (picture.resize((16, 8)).getpixel((column, 4)) for column in (1, 14))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert right[0] - left[0] > 100
    ((sha256,),) = rows(tmp_path, "SELECT sha256 FROM inputs")
    assert [path.stem for path in tmp_path.glob("data/inputs/??/*.png")] == [sha256]
    assert await bot.stop() == 0
    await bot.start()
    await local.friend.click(done, label="Reroll")
    await local.wait_for_message(with_words("Reroll of", "from a picture", "seed "), 90)
    form = await local.friend.click(done, label="Remix")
    values = {"prompt": "a moon --strength 0.9", "size": ["kept"], "sampler": ["Euler"], "seed": ["new"]}
    await local.friend.submit_modal(form, values)
    await local.wait_for_message(with_words("a moon", "from a picture", "strength 0.9", "seed "), 90)
    assert rows(tmp_path, "SELECT sha256 FROM inputs ORDER BY job_id") == [(sha256,)] * 3
    assert "Traceback" not in bot.log


async def test_what_cannot_be_read_is_a_private_sentence_and_costs_nothing(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    """A job beside such files draws the same bytes as alone."""
    bot = start_bot()
    await bot.start()
    beside = {"prompt": "a green star", "seed": 3, "steps": 30}
    await local.friend.slash(local.channel, "imagine", **beside)
    for data, sentence in (
        (files.heic(), "HEIC"),
        (b"no picture", "cannot be read here"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'/>", "cannot be read here"),
        (files.raw_png((20_000, 20_000), pixels=b""), "40 million pixels"),
        (files.raw_png((9_400, 9_400), depth=1, color=0, pixels=b""), "40 million pixels"),
        (files.raw_png((64, 64), pixels=b"", extra=files.chunk(b"zTXt", b"a\0\0" + files.zeros(10**7))), "damaged"),
        (files.VALID["jpeg"][:300], "damaged or cut off"),
    ):
        result = await local.member.slash(local.channel, "imagine", prompt="a star", image=("a.png", data))
        assert sentence in await said(result)
    drawn = await local.wait_for_message(with_words("a green star", "seed 3"), 90)
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(1,)]
    assert [message["id"] for message in local.messages() if message["author"].get("bot")] == [drawn["id"]]
    assert not (tmp_path / "data/inputs").exists()
    await local.friend.slash(local.channel, "imagine", **beside)
    alone = await local.wait_for_message(
        lambda message: message["id"] != drawn["id"] and with_words("seed 3")(message), 90
    )
    pictures = [await local.fetch_cdn(message["attachments"][0]["url"]) for message in (drawn, alone)]
    assert pictures[0] == pictures[1]
    assert "Traceback" not in bot.log


async def test_several_jobs_of_a_picture_are_asked_about_in_private(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    result = await local.member.slash(
        local.channel, "imagine", prompt="a {red|green} star", image=("a.png", files.VALID["png"]), steps=4
    )
    assert "2" in await said(result)
    assert [message for message in local.messages() if message["author"].get("bot")] == []
    question = next(
        answer for answer in (result.response, *result.followups) if answer is not None and answer.ephemeral
    )
    await local.member.click(question, label="Start 2 jobs")
    async with asyncio.timeout(90):
        while rows(tmp_path, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") != [(2,)]:
            await asyncio.sleep(0.1)
    assert rows(tmp_path, "SELECT count(DISTINCT sha256), count(*) FROM inputs") == [(1, 2)]
    assert "Traceback" not in bot.log


async def test_a_bot_killed_between_picture_and_job_leaves_a_file_that_goes(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    # While another program writes, no job can be accepted.
    other = sqlite3.connect(tmp_path / "data/easel.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asking = asyncio.create_task(
        local.member.slash(local.channel, "imagine", prompt="a star", image=("a.png", files.VALID["png"]))
    )
    async with asyncio.timeout(60):
        while not (kept := list(tmp_path.glob("data/inputs/??/*.png"))):
            await asyncio.sleep(0.01)
    await bot.stop(signal.SIGKILL)
    other.close()
    await asyncio.gather(asking, return_exceptions=True)
    then = time.time() - 2 * 86_400
    os.utime(kept[0], (then, then))
    await bot.start()
    await bot.wait_for_log("old images removed")
    assert not kept[0].exists()
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == rows(tmp_path, "SELECT count(*) FROM pots") == [(0,)]
    assert "Traceback" not in bot.log


async def test_a_picture_is_fetched_once_and_a_link_never(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = 0

    def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    link = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.png"
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.admin.slash(local.channel, "admin queue", action="pause")
    wanted = {"prompt": f"a star {link}", "image": ("a.png", files.VALID["png"]), "strength": 0.5}
    await local.member.slash(local.channel, "imagine", **wanted, steps=4)
    await local.wait_for_message(with_words("A link is never opened"), 60)
    # A member deletes the picture, or its address expires. Neither is needed any more.
    monkeypatch.setattr(cdn, "time", SimpleNamespace(time=lambda: time.time() + 2 * cdn.ADDRESS_LIFETIME_S))
    assert rows(tmp_path, "SELECT status FROM jobs") == [("queued",)]
    await local.admin.slash(local.channel, "admin queue", action="resume")
    done = await local.wait_for_message(with_words("from a picture", "seed "), 90)
    await local.friend.click(done, label="Reroll")
    await local.wait_for_message(with_words("Reroll of", "from a picture", "seed "), 90)
    (job,) = rows(tmp_path, "SELECT min(job_id) FROM jobs")[0]
    shown = await local.friend.click(done, custom_id=f"easel:details:{job}")
    assert "strength 0.5" in words_of(shown)
    refused = await local.member.slash(local.channel, "imagine", prompt=f"a star --image {link}")
    assert "never opened" in await said(refused)
    server.close()
    assert visits == 0
    assert "Traceback" not in bot.log


async def test_any_picture_in_a_message_is_a_start(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = start_bot()
    await bot.start()
    wide = files.saved(files.colorful((400, 200)), "JPEG", quality=95)
    pictures = [("a.jpg", wide), ("b.png", files.VALID["png"])]
    posted = await local.friend.send(local.channel, "look", attachments=pictures)
    form = await local.member.context_menu(local.channel, "Easel: use as reference", posted)
    async with asyncio.timeout(60):
        while not list(tmp_path.glob("data/inputs/??/*.png")):
            await asyncio.sleep(0.05)
    # The picture is here already, so it does not matter that its message or its address goes while the form is open.
    await local.friend.delete(posted)
    monkeypatch.setattr(cdn, "time", SimpleNamespace(time=lambda: time.time() + 2 * cdn.ADDRESS_LIFETIME_S))
    await bot.wait_for_log("worker ready")
    values = {"prompt": "a star --seed 5", "strength": ["subtle"], "size": ["kept"]}
    await local.member.submit_modal(form, values)
    done = await local.wait_for_message(with_words("seed 5 ", "from a picture", "strength 0.3", "the first one"), 90)
    picture = Image.open(io.BytesIO(await local.fetch_cdn(done["attachments"][0]["url"])))
    assert picture.width > picture.height
    await local.friend.click(done, label="Reroll")
    await local.wait_for_message(with_words("Reroll of", "from a picture", "seed "), 90)
    own = await local.friend.context_menu(local.channel, "Easel: use as reference", done)
    (job,) = rows(tmp_path, "SELECT min(job_id) FROM jobs")[0]
    assert own.modal is not None
    assert own.modal["custom_id"] == f"easel:remix:{job}"
    # What is no picture, and what a restart forgot, costs nothing; the prompt comes back.
    posted = await local.friend.send(local.channel, "look", attachments=[("a.png", files.heic())])
    form, forgotten = [
        await local.friend.context_menu(local.channel, "Easel: use as reference", posted) for _ in range(2)
    ]
    words = await said(await local.friend.submit_modal(form, values))
    assert "HEIC" in words
    assert "a star" in words
    assert await bot.stop() == 0
    await bot.start()
    assert "Open the menu of its message again" in await said(await local.friend.submit_modal(forgotten, values))
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(2,)]
    assert "Traceback" not in bot.log
