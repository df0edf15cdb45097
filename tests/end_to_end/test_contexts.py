"""Direct messages, and people who brought Easel along: the same conversation, with limits of their own."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess

StartBot = Callable[..., BotProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


def commands_of(local: LocalDiscord) -> dict[str, Any]:
    return {command["name"]: command for found in local._backend.commands.values() for command in found.values()}


async def test_a_direct_message_has_its_own_quota_and_working_buttons(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="9", EASEL_QUOTAS__PERSONAL_AMOUNT="2")
    await bot.start()
    user = local.member.user
    quota = await user.slash("quota")
    assert "**2 of 2 left today.**" in quota.response.content
    assert "**9 of 9 left today.**" in str((await local.member.slash(local.channel, "quota")).response)
    await user.slash("imagine", prompt="a red apple", steps=4)
    done = await local.wait_for_message(
        lambda message: "seed " in str(message["components"]), 90, channel=user.dm_channel, viewer=local.member
    )
    assert len(done["attachments"]) == 1
    refused = await user.slash("imagine", prompt="two apples", images=2)
    assert "you have 1 of 2 left" in refused.response.content
    assert "You have no jobs in line." in str((await user.slash("queue")).response.components)
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        assert connection.execute("SELECT guild_id, status FROM jobs").fetchall() == [(0, "succeeded")]
    registered = commands_of(local)
    assert registered["imagine"]["contexts"] == [0, 1, 2]
    assert registered["imagine"]["integration_types"] == [0, 1]
    assert registered["admin"]["integration_types"] == [0]
    assert registered["admin"]["contexts"] == [0]
    assert "Traceback" not in bot.log


async def test_who_brought_easel_along_has_one_quota_everywhere_and_loses_no_picture(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_QUOTAS__AMOUNT="9", EASEL_QUOTAS__PERSONAL_AMOUNT="3")
    await bot.start()
    member, user = local.member, local.member.user
    member.bring_along(is_seen=False)

    async def shown(words: str, state: str = "seed ") -> dict[str, Any]:
        def fits(message: dict[str, Any]) -> bool:
            return words in str(message["components"]) and state in str(message["components"])

        return await local.wait_for_message(fits, 90, viewer=member)

    await member.slash(local.channel, "imagine", prompt="a star of mine", steps=4)
    done = await shown("a star of mine")
    assert len(done["attachments"]) == 1
    assert done["id"] not in [message["id"] for message in local.messages()], "nobody else sees it"
    assert "**2 of 3 left today.**" in (await user.slash("quota")).response.content
    await member.click(done, label="Reroll")
    again = await shown("Reroll of")
    link = f"https://discord.com/channels/{local.guild.id}/{local.channel.id}/{done['id']}"
    assert link in str(again["components"])

    # Its token is over before it is done, and then nobody can edit what only its member sees.
    local.faults.add(kind="status", method="PATCH", path="^/webhooks/", times=None, status=401, code=50027)
    await member.slash(local.channel, "imagine", prompt="a late star", steps=4)
    sent = await local.wait_for_message(lambda message: bool(message["attachments"]), 90, channel=user.dm_channel)
    assert "could not be shown where it was asked for" in sent["content"]
    local.faults.clear()
    refused = await member.click(again, label="Reroll")
    assert refused.response is not None
    assert "you have 0 of 3 left" in refused.response.content
    await member.click(done, custom_id="easel:delete:1")
    async with asyncio.timeout(60):
        while done["id"] in [message["id"] for message in local.messages(viewer=member)]:
            await asyncio.sleep(0.05)
    with sqlite3.connect(tmp_path / "data" / "easel.db") as connection:
        places = connection.execute("SELECT guild_id, shown_guild_id, status FROM jobs").fetchall()
    assert places == [(0, local.guild.id, "succeeded")] * 3
    assert "Traceback" not in bot.log


async def test_a_host_can_keep_easel_to_servers(local: LocalDiscord, start_bot: StartBot) -> None:
    bot = start_bot(EASEL_DISCORD__DIRECT_MESSAGES="false")
    await bot.start()
    assert commands_of(local)["imagine"]["contexts"] == [0]
    assert commands_of(local)["imagine"]["integration_types"] == [0]
