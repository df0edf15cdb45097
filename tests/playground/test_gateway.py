"""Connections break, sessions are resumed or lost, a bot is replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from playground import LocalDiscord
    from tests.playground.conftest import Bot, StartBot


async def test_dropped_connection_is_resumed_without_loss(local: LocalDiscord, bot: Bot) -> None:
    local.faults.drop_gateway()
    result = await local.member.slash(local.channel, "hello")
    assert result.acknowledged
    await bot.printed("RESUMED")
    await asyncio.sleep(0.2)
    assert len(local.messages(viewer=local.member)) == 1


async def test_asked_to_reconnect(local: LocalDiscord, bot: Bot) -> None:
    local.faults.ask_reconnect()
    await bot.printed("RESUMED")
    assert (await local.member.slash(local.channel, "hello")).acknowledged


async def test_invalid_session_identifies_anew(local: LocalDiscord, bot: Bot) -> None:
    local.faults.invalidate_session()
    await bot.printed("session has been invalidated")
    await local.wait_for_bot()
    assert (await local.member.slash(local.channel, "hello")).acknowledged
    assert not any("RESUMED" in line for line in bot.lines)


async def test_resumable_invalid_session(local: LocalDiscord, bot: Bot) -> None:
    local.faults.invalidate_session(is_resumable=True)
    await bot.printed("RESUMED")
    assert (await local.member.slash(local.channel, "hello")).acknowledged


async def test_duplicated_interaction_is_answered_once(local: LocalDiscord, bot: Bot) -> None:
    local.faults.duplicate_next_interaction()
    await local.member.slash(local.channel, "hello")
    # Whichever answer comes second is refused: with 40060, seen by discord.py as "responded".
    await bot.printed("40060")
    callbacks = [request.status for request in local.requests if request.path.endswith("/callback")]
    assert callbacks == [200, 400]
    assert len(local.messages(viewer=local.member)) == 1


async def test_replaced_bot_answers_old_and_new(local: LocalDiscord, bot: Bot, start_bot: StartBot) -> None:
    await local.member.slash(local.channel, "paint", prompt="an apple")
    message = await local.wait_for_message(lambda message: bool(message["attachments"]))
    await bot.end()
    dead = await local.member.slash(local.channel, "hello")
    assert not dead.acknowledged
    await start_bot(local)
    await local.friend.click(message, label="Make it green")
    await local.wait_for_message(lambda m: m["attachments"][0]["filename"] == "green.png")


@pytest.mark.parametrize(
    ("token", "intents", "code"),
    [("wrong", 1, 4004), (None, 1 << 15, 4014)],
    ids=["wrong token", "privileged intent"],
)
async def test_refused_identify(local: LocalDiscord, token: str | None, intents: int, code: int) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(local.gateway_url) as socket:
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 2, "d": {"token": token or local.token, "intents": intents}})
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == code


async def test_events_follow_the_intents(local: LocalDiscord) -> None:
    """A session for servers only sees neither messages nor other members."""
    async with aiohttp.ClientSession() as session, session.ws_connect(local.gateway_url) as socket:
        await socket.receive_json()
        await socket.send_json({"op": 2, "d": {"token": local.token, "intents": 1}})
        ready, guild = await socket.receive_json(), await socket.receive_json()
        assert (ready["t"], ready["s"], guild["t"], guild["s"]) == ("READY", 1, "GUILD_CREATE", 2)
        assert [member["user"]["username"] for member in guild["d"]["members"]] == ["Easel"]
        await local.member.send(local.channel, "hello")
        local.guild.create_text_channel("attic")
        assert (await socket.receive_json())["t"] == "CHANNEL_CREATE"


async def test_message_content_is_hidden(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(local.gateway_url) as socket:
        await socket.receive_json()
        await socket.send_json({"op": 2, "d": {"token": local.token, "intents": 1 | 1 << 9}})
        await socket.receive_json()
        await socket.receive_json()
        await local.member.send(local.channel, "a secret")
        event = await socket.receive_json()
        assert (event["t"], event["d"]["content"]) == ("MESSAGE_CREATE", "")


async def test_members_come_in_chunks(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(local.gateway_url) as socket:
        await socket.receive_json()
        await socket.send_json({"op": 2, "d": {"token": local.token, "intents": 1}})
        await socket.receive_json()
        await socket.receive_json()
        ask = {"guild_id": str(local.guild.id), "query": "fi", "limit": 5, "nonce": "n"}
        await socket.send_json({"op": 8, "d": ask})
        chunk = (await socket.receive_json())["d"]
        assert [member["user"]["username"] for member in chunk["members"]] == ["finn"]
        assert chunk["nonce"] == "n"
