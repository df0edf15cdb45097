"""The showcase: what others star is shown once, with consent, whatever is killed, until its member takes it back."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest

from playground import LocalDiscord
from playground.people import join
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_admins import rows
from tests.end_to_end.test_reports import word

StartBot = Callable[..., BotProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


def shown(local: LocalDiscord) -> list[dict[str, Any]]:
    """The exhibits in the showcase, newest first."""
    return [message for message in local.messages(channel=local.lounge) if message["attachments"]]


async def drawn(local: LocalDiscord, where: Any) -> dict[str, Any]:
    """A finished picture of the member's."""
    await local.member.slash(where, "imagine", prompt="a red apple", steps=8, seed=5, images=1)
    return await local.wait_for_message(lambda found: "seed 5" in str(found["components"]), 120, channel=where)


async def starred(actor: Any, picture: dict[str, Any], job_id: int) -> None:
    assert "are kept" in await word(await actor.click(picture, custom_id=f"easel:star:{job_id}"))


async def _check_refusal_after_a_kill(local: LocalDiscord, bot: BotProcess, tmp_path: Path) -> None:
    """A process that was killed before it posted does not post what its member has refused since."""
    await bot.stop(signal.SIGKILL)
    rows(tmp_path, "UPDATE exhibits SET is_withdrawn = 0")
    rows(tmp_path, "UPDATE user_settings SET is_shown = 0")
    await bot.start()
    async with asyncio.timeout(40):
        while rows(tmp_path, "SELECT is_withdrawn FROM exhibits") != [(1,)]:
            await asyncio.sleep(0.05)
    posted = [each for each in local.requests if each.path == f"/channels/{local.lounge.id}/messages"]
    assert [each.method for each in posted].count("POST") == 2  # the first words of the showcase, and one exhibit


async def test_a_starred_picture_is_shown_once_with_consent_and_goes_by_its_member_s_will(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    admin, member, friend, studio = local.admin, local.member, local.friend, local.channel
    third, fourth = (join(local._env, local.guild, name, name.title()) for name in ("rhea", "omar"))
    answer = await word(await admin.slash(studio, "admin showcase", channel=local.lounge, stars=2))
    assert f"<#{local.lounge.id}> shows each picture that 2 other members star" in answer
    assert "shown here from now on" in str(local.messages(channel=local.lounge)[0]["components"])

    # A star of one's own does not count, and nothing is shown before its member agreed.
    picture = await drawn(local, studio)
    await starred(member, picture, 1)
    await starred(friend, picture, 1)
    assert rows(tmp_path, "SELECT * FROM exhibits") == []
    await starred(third, picture, 1)
    asked = await local.wait_for_message(lambda _: True, channel=member.user.dm_channel)
    assert asked["content"].startswith("2 other members starred")
    assert "/settings" in asked["content"]
    assert shown(local) == []
    settings = await word(await member.slash(studio, "settings", showcase=1))
    assert "The showcase of a server may have your pictures." in settings
    exhibit = await local.wait_for_message(lambda found: bool(found["attachments"]), channel=local.lounge)
    assert f"⭐ **2** · by <@{member.id}>" in str(exhibit["components"])
    assert "a red apple" in str(exhibit["components"])

    # A process that was killed while it posted finds the message, and posts nothing twice.
    await bot.stop(signal.SIGKILL)
    with_nothing = "UPDATE exhibits SET message_id = NULL, file_names = '[]'"
    rows(tmp_path, with_nothing)
    await bot.start()
    await starred(fourth, picture, 1)
    await local.wait_for_message(lambda found: "⭐ **3**" in str(found["components"]), channel=local.lounge)
    assert [message["id"] for message in shown(local)] == [exhibit["id"]]
    assert shown(local)[0]["attachments"]

    # What not everybody sees stays there.
    unseen, seen = discord.PermissionOverwrite(view_channel=False), discord.PermissionOverwrite(view_channel=True)
    rights: dict[Any, discord.PermissionOverwrite] = {local.guild.default_role: unseen}
    rights.update(dict.fromkeys((member, friend, third), seen))
    cellar = local.guild.create_text_channel("cellar", overwrites=rights)
    hidden = await drawn(local, cellar)
    await starred(friend, hidden, 2)
    await starred(third, hidden, 2)

    # Its member takes it back, here by deleting the message.
    await member.click(picture, custom_id="easel:delete:1")
    gone = await local._changes.until(lambda: not shown(local), 40)
    assert gone
    async with asyncio.timeout(20):
        while rows(tmp_path, "SELECT job_id, message_id, is_withdrawn FROM exhibits") != [(1, None, 1)]:
            await asyncio.sleep(0.05)
    ended = await word(await admin.slash(studio, "admin showcase", channel=local.lounge))
    assert ended.startswith("The showcase has ended.")
    assert "Traceback" not in bot.log
    await _check_refusal_after_a_kill(local, bot, tmp_path)
