"""A bot with two connections to the gateway serves the servers of both, and outlives the loss of one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.process.health import read_health
from playground import LocalDiscord
from playground.people import join
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import with_words

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def test_two_shards_serve_their_servers(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], tmp_path: Path
) -> None:
    guilds = [local.guild]
    while {(guild.id >> 22) % 2 for guild in guilds} != {0, 1}:
        guilds.append(local._env.create_guild("Another server"))
    other = guilds[-1]
    room = other.create_text_channel("room")
    zoe = join(local._env, other, "zoe", "Zoe")
    bot = start_bot(EASEL_DISCORD__SHARDS="2")
    await bot.start()
    await bot.wait_for_log("connected to Discord")
    assert len(local._gateway._sessions) == 2
    for member, channel in ((local.member, local.channel), (zoe, room)):
        await member.slash(channel, "imagine", prompt="a star", steps=2)
        await local.wait_for_message(with_words("seed "), 90, channel=channel)

    sessions = [*local._gateway._sessions.values()]
    lost = sessions[0].connection
    assert lost is not None
    lost.abort()
    async with asyncio.timeout(60):
        while sessions[0].connection in (None, lost) or read_health(tmp_path / "data") is None:
            await asyncio.sleep(0.05)
    for member, channel in ((local.member, local.channel), (zoe, room)):
        await member.slash(channel, "quota")
        await local.wait_for_message(
            lambda message: "of 50 left" in message["content"], 30, viewer=member, channel=channel
        )
    assert await bot.stop() == 0
    assert "Traceback" not in bot.log
