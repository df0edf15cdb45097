"""Members see, export and delete what Easel keeps about them, while it runs."""

import asyncio
import contextlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import said, with_words
from tests.end_to_end.test_settings import private
from tests.end_to_end.test_verify import easel

StartBot = Callable[..., BotProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
PLACEHOLDER = "were deleted, since its member wished it"


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the running bot's database."""
    address = f"{(folder / 'data' / 'easel.db').resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        return connection.execute(sql).fetchall()


def copies(folder: Path, words: str) -> int:
    return sum(path.read_bytes().count(words.encode()) for path in (folder / "data").glob("easel.db*"))


def pictures(folder: Path) -> int:
    return sum(1 for _ in (folder / "data").glob("images/??/*.*"))


async def until(is_true: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(seconds * 10)):
        if is_true():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


async def test_a_member_deletes_everything_while_a_job_runs(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_PRIVACY__CONTACT="the club's board", EASEL_QUOTAS__AMOUNT="9")
    await bot.start()
    await bot.wait_for_log("worker ready")
    member, friend, studio = local.member, local.friend, local.channel
    await member.slash(studio, "imagine", prompt="a star of heliotrope", steps=2)
    done = await local.wait_for_message(with_words("a star of heliotrope", "seed "), 90)
    await friend.slash(studio, "imagine", prompt="a star of theirs", steps=2)
    await local.wait_for_message(with_words("a star of theirs", "seed "), 90)
    await friend.click(done, custom_id="easel:star:1")

    told = str(private(await member.slash(studio, "privacy show")).content)
    assert "1 jobs with your prompts" in told
    assert "Responsible: the club's board" in told
    exported = await member.slash(studio, "privacy export")
    with zipfile.ZipFile(io.BytesIO(await part_of(local, exported))) as archive:
        (job,) = json.loads(archive.read("jobs.json"))
        assert job["request"]["prompt"] == "a star of heliotrope"
        assert [name for name in archive.namelist() if name.startswith("pictures/")] == ["pictures/1-1.png"]
    assert "once a day" in str(private(await member.slash(studio, "privacy export")).content)

    await member.slash(studio, "imagine", prompt="a slow star of heliotrope", steps=50, images=4)
    await until(lambda: ("running",) in rows(tmp_path, "SELECT status FROM jobs"))
    asked = private(await member.slash(studio, "privacy delete"))
    await member.click(asked, custom_id="easel-privacy:everything")
    assert copies(tmp_path, "heliotrope") > 0
    await member.click(asked, custom_id="easel-privacy:sure-everything")
    await until(lambda: copies(tmp_path, "heliotrope") == 0)
    await until(lambda: pictures(tmp_path) == 1)
    assert rows(tmp_path, "SELECT status, count(*) FROM jobs WHERE requester_id < 0 GROUP BY status") == [
        ("cancelled", 1),
        ("succeeded", 1),
    ]
    # What was used today stays used.
    assert rows(tmp_path, "SELECT held, spent FROM pots WHERE kind = 'period' AND user_id > 0") == [(0, 1)] * 2
    await local.wait_for_message(lambda each: each["id"] == done["id"] and PLACEHOLDER in str(each["components"]), 30)
    easel(tmp_path, "db", "check")
    assert "0 jobs with your prompts" in str(private(await member.slash(studio, "privacy show")).content)
    assert "heliotrope" not in bot.log
    assert "Traceback" not in bot.log


async def part_of(local: LocalDiscord, result: Any) -> bytes:
    """The first file of an export. Its last message tells that this is all."""
    await until(lambda: any("That is all, in 1 part" in str(each.content) for each in result.followups))
    assert all(each.ephemeral for each in result.followups)
    answers = [each for each in (result.response, *result.followups) if each is not None]
    (attachment,) = [found for each in answers for found in each.attachments]
    return await local.fetch_cdn(attachment["url"] if isinstance(attachment, dict) else attachment.url)


async def test_the_owner_deletes_a_members_words_from_the_shell_while_easel_runs(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star of heliotrope", steps=2)
    done = await local.wait_for_message(with_words("a star of heliotrope", "seed "), 90)
    easel(tmp_path, "db", "forget", str(local.member.id))
    await until(lambda: copies(tmp_path, "heliotrope") == 0 and pictures(tmp_path) == 0)
    await local.wait_for_message(lambda each: each["id"] == done["id"] and PLACEHOLDER in str(each["components"]), 30)
    # Its menus say why they rest.
    details = await local.friend.context_menu(local.channel, "Easel: details", done)
    assert PLACEHOLDER in await said(details)
    assert "Traceback" not in bot.log


async def test_what_waits_is_given_back_when_easel_leaves_a_server(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__RUNNING_PER_USER="1")
    await bot.start()
    await bot.wait_for_log("worker ready")
    for _ in range(3):
        await local.member.slash(local.channel, "imagine", prompt="a star", steps=50, images=4)
    await until(lambda: ("running",) in rows(tmp_path, "SELECT status FROM jobs"))
    local._backend.remove_guild(local.guild.id)
    await until(lambda: {*rows(tmp_path, "SELECT DISTINCT status FROM jobs")} == {("cancelled",)})
    assert rows(tmp_path, "SELECT sum(held), sum(spent) FROM pots") == [(0, 0)]
    assert rows(tmp_path, "SELECT count(*) FROM servers WHERE left_at IS NOT NULL") == [(1,)]
    assert "Traceback" not in bot.log


async def test_the_log_never_holds_words(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    (tmp_path / "loras").mkdir()
    (tmp_path / "rules.txt").write_text("zeppelin\n")
    bot = start_bot(
        EASEL_LOGGING__LEVEL="DEBUG",
        EASEL_PIPELINE__LORA_DIRECTORY=str(tmp_path / "loras"),
        EASEL_SAFETY__WORDS=str(tmp_path / "rules.txt"),
    )
    await bot.start()
    await bot.wait_for_log("worker ready")
    member, studio = local.member, local.channel
    await member.slash(studio, "imagine", prompt="a star heliotrope --no quagga", steps=2, negative="xylem")
    await local.wait_for_message(with_words("a star heliotrope", "seed "), 90)
    await member.slash(studio, "imagine", prompt="a star <lora:zanzibar:0.5>")
    await member.slash(studio, "imagine", prompt="a zeppelin over wombats")
    await member.slash(studio, "imagine", prompt="a star", style="okapi")
    await member.slash(studio, "imagine", prompt="a star --steps potato --sampler narwhal")
    await member.slash(studio, "help", topic="axolotl")
    for option, typed in (("style", "aardvark"), ("model", "pangolin"), ("size", "capybara")):
        await member.autocomplete(studio, "imagine", option, typed)
    assert await bot.stop() == 0
    log = bot.log.casefold()
    assert "debug" in log
    words = ("heliotrope", "quagga", "xylem", "zanzibar", "zeppelin", "wombats", "okapi", "potato", "narwhal")
    typed_words = ("axolotl", "aardvark", "pangolin", "capybara")
    assert [word for word in (*words, *typed_words) if word in log] == []
