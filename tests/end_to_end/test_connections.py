"""The bot and all of its processes speak to Discord alone, whatever address a member gives them."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import discord
import pytest
from aiohttp import web

from playground import LocalDiscord
from playground.bridge.cdn import LocalCdn
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import said, with_words
from tests.pipeline.reading import files

WATCH = Path(__file__).with_name("connections") / "sitecustomize.py"


async def test_no_address_of_a_member_is_opened(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0)
    link = f"http://localhost:{trap.sockets[0].getsockname()[1]}/a.png"
    shutil.copy(WATCH, tmp_path)
    bot = start_bot(PYTHONPATH=str(tmp_path))
    await bot.start()
    await bot.wait_for_log("worker ready")
    picture = ("a.png", files.VALID["png"])
    # An address in a prompt, in an option that no one types, and as the name of a picture.
    await local.member.slash(local.channel, "imagine", prompt=f"a star {link}", image=picture, steps=2)
    await local.wait_for_message(with_words("A link is never opened", "seed "), 90)
    for prompt in (f"a star --image {link}", link, f"{link} --sref {link}"):
        await said(await local.member.slash(local.channel, "imagine", prompt=prompt))
    # An embed with pictures, whose message has none of its own.
    embed = discord.Embed(title="look", url=link).set_image(url=link).set_thumbnail(url=link)
    hook = local.guild.create_webhook(local.channel, "Other")
    shown = await hook.send(link, embed=embed)
    for menu in ("Easel: use as reference", "Easel: upscale", "Easel: details"):
        await said(await local.member.context_menu(local.channel, menu, shown))

    # Discord's own file server sends the bot elsewhere.
    def elsewhere(*_: object) -> None:
        raise web.HTTPFound(link)

    with monkeypatch.context() as patched:
        patched.setattr(LocalCdn, "fetch", elsewhere)
        await said(await local.member.slash(local.channel, "imagine", prompt="a star", image=picture))
        posted = await local.friend.send(local.channel, "look", attachments=[picture])
        await said(await local.member.context_menu(local.channel, "Easel: upscale", posted))
        await said(await local.member.context_menu(local.channel, "Easel: details", posted))
    assert await bot.stop() == 0
    trap.close()
    assert {*(tmp_path / "connections.txt").read_text().split()} == {urlsplit(local.api_base_url).netloc}
    assert "Traceback" not in bot.log
