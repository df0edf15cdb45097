"""Where pictures come from: signed by the running bot, told by /verify, and kept from those who may not know."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
from PIL import Image

from playground import LocalDiscord
from provenance.keys import read_key
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import said, with_words
from tests.process_memory import descendants, holds

StartBot = Callable[..., BotProcess]
INTACT = re.compile(r"Made here on <t:\d+:f>, and unchanged since\.")


def easel(folder: Path, *arguments: str) -> None:
    """What the owner types while Easel is stopped."""
    environment = {**os.environ, "EASEL_STORAGE__DIRECTORY": str(folder / "data")}
    subprocess.run([sys.executable, "-m", "bot", *arguments], env=environment, check=True, capture_output=True)


def make_key(folder: Path) -> None:
    (folder / "passphrase").write_text("correct horse")
    easel(folder, "provenance", "init", f"{folder}/root.pem", "--passphrase-file", f"{folder}/passphrase")


async def asked(local: LocalDiscord, person: Any, data: bytes) -> str:
    return await said(await person.slash(local.channel, "verify", picture=("a.png", data)))


async def test_a_picture_is_signed_told_and_kept_from_those_elsewhere(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    make_key(tmp_path)
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star", steps=2, seed=3)
    done = await local.wait_for_message(with_words("a star", "seed "), 90)
    data = await local.fetch_cdn(done["attachments"][0]["url"])

    here = await asked(local, local.friend, data)
    assert INTACT.search(here)
    assert "a star" in here
    assert f"<@{local.member.user.id}>" in here
    assert "saved anew on its way" in await asked(local, local.friend, data + b"tail")
    lossy = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(lossy, "JPEG", quality=60)
    assert "Looks like what was made here" in await asked(local, local.friend, lossy.getvalue())

    changed = bytearray(data)
    changed[len(data) - 20] ^= 1
    told = await asked(local, local.friend, bytes(changed))
    assert "was changed after it was made" in told
    assert "a star" in told, "the manifest's name tells which picture was changed"

    await _nobody_learns_what_a_hidden_channel_shows(local)

    posted = await local.friend.send(local.channel, "look", attachments=[("a.png", data)])
    details = await said(await local.member.context_menu(local.channel, "Easel: details", posted))
    assert "Sampler:" in details
    assert INTACT.search(details)

    user = local.member.user
    await user.slash("imagine", prompt="a secret star", steps=2, seed=4)
    sent = await local.wait_for_message(
        lambda message: "seed " in str(message["components"]), 90, channel=user.dm_channel, viewer=local.member
    )
    private = await local.fetch_cdn(sent["attachments"][0]["url"])
    told = await asked(local, local.friend, private)
    assert INTACT.search(told)
    assert "Made by this Easel, elsewhere." in told
    assert "secret" not in told
    assert "a secret star" in await said(await user.slash("verify", picture=("a.png", private)))
    assert "secret" not in await said(await local.friend.user.slash("verify", picture=("a.png", private)))

    assert "cannot be read here" in await asked(local, local.friend, b"no picture")
    assert await bot.stop() == 0
    easel(tmp_path, "db", "forget", str(local.member.user.id))
    await bot.start()
    told = await asked(local, local.friend, data)
    assert INTACT.search(told)
    assert "Made by this Easel, elsewhere." in told
    assert f"<@{local.member.user.id}>" not in told
    assert "Traceback" not in bot.log


async def _nobody_learns_what_a_hidden_channel_shows(local: LocalDiscord) -> None:
    hidden = local.guild.create_text_channel(
        "secret", overwrites={local.friend: discord.PermissionOverwrite(view_channel=False)}
    )
    await local.member.slash(hidden, "imagine", prompt="a hushed star", steps=2, seed=5)
    sent = await local.wait_for_message(with_words("a hushed star", "seed "), 90, channel=hidden, viewer=local.member)
    there = await local.fetch_cdn(sent["attachments"][0]["url"])
    told = await asked(local, local.friend, there)
    assert "Made by this Easel, elsewhere." in told
    assert "hushed" not in told
    assert "a hushed star" in await asked(local, local.admin, there)


async def test_no_process_but_the_bot_holds_the_key(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    make_key(tmp_path)
    bot = start_bot(EASEL_PIPELINE__STARTER="none")  # so that its worker is a child of its own
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star", steps=2, seed=3)
    await local.wait_for_message(with_words("a star", "seed "), 90)
    folder = tmp_path / "data" / "provenance"
    key = read_key(folder / "key.pem", folder / "chain.pem", datetime.now(UTC))
    number = key.private.private_numbers().private_value
    secrets = (number.to_bytes(32, "big"), number.to_bytes(32, "little"))
    assert bot.process is not None
    assert holds(bot.process.pid, secrets), "so the search can find it"
    others = descendants(bot.process.pid)
    commands = [Path(f"/proc/{each}/cmdline").read_bytes() for each in others]
    for child in (b"\0provenance.child\0", b"\0pipeline\0"):
        assert any(child in each for each in commands), commands
    assert [command for each, command in zip(others, commands, strict=True) if holds(each, secrets)] == []


async def test_a_member_asks_ten_times_a_minute(local: LocalDiscord, start_bot: StartBot) -> None:
    bot = start_bot()
    await bot.start()
    for _ in range(10):
        assert "as PNG, JPEG or WebP" in await asked(local, local.member, b"GIF89a" + bytes(20))
    assert "about 10 pictures a minute" in await asked(local, local.member, b"GIF89a" + bytes(20))
    assert "as PNG, JPEG or WebP" in await asked(local, local.friend, b"GIF89a" + bytes(20))
