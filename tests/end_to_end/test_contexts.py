"""Direct messages, and people who brought Easel along: the same conversation, with limits of their own."""

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
        lambda message: "seed" in str(message["components"]), 90, channel=user.dm_channel, viewer=local.member
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


async def test_a_host_can_keep_easel_to_servers(local: LocalDiscord, start_bot: StartBot) -> None:
    bot = start_bot(EASEL_DISCORD__DIRECT_MESSAGES="false")
    await bot.start()
    assert commands_of(local)["imagine"]["contexts"] == [0]
    assert commands_of(local)["imagine"]["integration_types"] == [0]
