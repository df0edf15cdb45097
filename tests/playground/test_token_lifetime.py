"""An interaction's token dies, the message stays editable with the bot's own token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground import LocalDiscord

if TYPE_CHECKING:
    from tests.playground.conftest import StartBot


async def test_expired_token_is_refused_with_50027(start_bot: StartBot) -> None:
    async with LocalDiscord(token_lifetime_s=1.0) as local:
        await start_bot(local)
        await local.member.slash(local.channel, "keep", seconds=1.3)
        message = await local.wait_for_message(lambda message: message["content"] != "first")
        assert message["content"] == "by bot token after 401/50027"


async def test_living_token_edits(start_bot: StartBot) -> None:
    async with LocalDiscord(token_lifetime_s=10.0) as local:
        await start_bot(local)
        await local.member.slash(local.channel, "keep", seconds=0.3)
        message = await local.wait_for_message(lambda message: message["content"] != "first")
        assert message["content"] == "by token"
