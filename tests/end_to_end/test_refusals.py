"""Bad input: one private sentence, nothing charged, nothing lost."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.store.fetches import Fetches
from playground import LocalDiscord

StartBot = Callable[..., Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


def _jobs(tmp_path: Path) -> int:
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        return int(connection.execute("SELECT count(*) FROM jobs").fetchone()[0])


async def test_every_refusal_is_private_and_leaves_no_trace(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="3")
    await bot.start()
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"prompt": "--no cats"}, "There is no prompt."),
        ({"prompt": "\u200b\u2060"}, "There is no prompt."),
        ({"prompt": "\ud83c"}, "There is no prompt."),
        ({"prompt": "a cat", "size": "hu\ud83cge"}, "“huge” is no size."),
        ({"prompt": "a cat", "model": "\ud83cxl"}, "There is no model called “xl”"),
        ({"prompt": "a cat", "size": "huge"}, "“huge” is no size."),
        ({"prompt": "a cat", "sampler": "Restart"}, "There is no sampler called “Restart”"),
        (
            {"prompt": "a cat", "sampler": "DPM2 a"},
            "There is no sampler called “DPM2 a” for this model. Choose one of: Euler,",
        ),
        ({"prompt": "a cat", "model": "sdxl"}, "There is no model called “sdxl”"),
        ({"prompt": "a cat --seed many"}, "“many” is no number for"),
        ({"prompt": "a cat --ar 1:0"}, "is no aspect ratio"),
        ({"prompt": "a cat", "images": 4}, "This costs 4, and 3 is all that a period has."),
    ]
    for options, sentence in refusals:
        result = await local.member.slash(local.channel, "imagine", **options)
        assert result.response is not None
        assert result.response.ephemeral, options
        assert sentence in result.response.content.replace("\\", "")
        # What cannot be seen is not shown again.
        assert ("Your prompt: " in result.response.content) is str(options["prompt"]).isascii(), options
    assert _jobs(tmp_path) == 0
    quota = await local.member.slash(local.channel, "quota")
    assert quota.response is not None
    assert quota.response.ephemeral
    assert "3 of 3 left today." in quota.response.content


async def test_a_spent_quota_says_when_it_starts_anew(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="2")
    await bot.start()
    await local.member.slash(local.channel, "imagine", prompt="one", images=2, steps=2)
    result = await local.member.slash(local.channel, "imagine", prompt="@everyone `two`")
    assert result.response is not None
    assert "you have 0 of 2 left. Your quota starts anew <t:" in result.response.content
    assert "\\@everyone \\`two\\`" in result.response.content
    other = await local.friend.slash(local.channel, "imagine", prompt="three", steps=2)
    assert other.response is not None
    assert not other.response.ephemeral
    assert _jobs(tmp_path) == 2


async def test_a_missing_model_file_is_told(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(
        '[[model]]\nkey = "gone"\ntitle = "Gone"\nfamily = "sd"\nlicense = "none"\n'
        'source = { kind = "folder", path = "nowhere" }\n'
    )
    bot = start_bot(EASEL_PIPELINE__CATALOGUE=str(catalogue), EASEL_PIPELINE__DEFAULT_MODEL="gone")
    await bot.start()
    await bot.wait_for_log("worker ready")
    result = await local.member.slash(local.channel, "imagine", prompt="a cat")
    assert result.response is not None
    assert "The model “Gone” cannot be used right now." in result.response.content
    assert "model missing" in bot.log
    with Fetches(tmp_path / "data" / "models").marked("gone") as note:
        note(43)
        result = await local.member.slash(local.channel, "imagine", prompt="a cat")
    assert result.response is not None
    assert "The model “Gone” is being downloaded; 43 % are here." in result.response.content
    assert _jobs(tmp_path) == 0


async def test_a_worker_that_cannot_work_is_told(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    bot = start_bot(EASEL_PIPELINE__DEVICE="cuda")
    await bot.start()
    await bot.wait_for_log("worker unusable")
    result = await local.member.slash(local.channel, "imagine", prompt="a cat")
    assert result.response is not None
    assert "Nothing can be drawn right now" in result.response.content
    assert _jobs(tmp_path) == 0


async def test_a_database_that_cannot_be_written_is_told(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    result = await local.member.slash(local.channel, "imagine", prompt="a cat")
    assert result.response is not None
    assert "The request could not be saved" in result.response.content
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        assert connection.execute("SELECT count(*) FROM pots").fetchone() == (0,)


async def test_a_wrong_token_ends_in_one_sentence(start_bot: StartBot) -> None:
    bot = start_bot(EASEL_DISCORD__TOKEN="wrong")
    await bot.spawn()
    async with asyncio.timeout(60):
        assert await bot.process.wait() == 78
    assert "easel: Discord does not know this bot token" in bot.log
    assert "Traceback" not in bot.log


async def test_a_forged_or_foreign_button_is_refused(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    bot = start_bot()
    await bot.start()
    await local.member.slash(local.channel, "imagine", prompt="a star", steps=2)
    message = await local.wait_for_message(lambda shown: "seed " in str(shown["components"]), 90)
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        connection.execute("UPDATE jobs SET message_id = 1")
    result = await local.friend.click(message, label="Reroll")
    assert result.response is not None
    assert "a job that Easel no longer knows" in result.response.content
    assert _jobs(tmp_path) == 1
