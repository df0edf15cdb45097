"""Faults of the REST interface and its plain manners."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from playground import FaultKind, LocalDiscord, PortTaken
from tests.pipeline.reading import files

CHANNEL_MESSAGES = r"^/channels/\d+/messages$"


def notes(local: LocalDiscord) -> int:
    return sum(message["content"] == "a note" for message in local.messages())


async def take_note(local: LocalDiscord) -> str:
    """Let the bot post in the channel and return what it says about it."""
    result = await local.member.slash(local.channel, "note", text="a note")
    assert result.response is not None
    outcome = result.response

    def is_told(message: dict[str, Any]) -> bool:
        return message["id"] == str(outcome.id) and bool(message["content"])

    return str((await local.wait_for_message(is_told, 20, viewer=local.member))["content"])


@pytest.mark.usefixtures("bot")
async def test_status_before_applying(local: LocalDiscord) -> None:
    fault = local.faults.add(kind="status", method="POST", path=CHANNEL_MESSAGES, status=403, code=50013)
    assert await take_note(local) == "failed: Forbidden 50013"
    assert (notes(local), fault.hits) == (0, 1)
    assert await take_note(local) == "sent"


@pytest.mark.usefixtures("bot")
async def test_5xx_is_retried_and_nothing_was_applied(local: LocalDiscord) -> None:
    local.faults.add(kind=FaultKind.STATUS, path=CHANNEL_MESSAGES, status=500)
    assert await take_note(local) == "sent"
    assert notes(local) == 1


@pytest.mark.usefixtures("bot")
async def test_applied_although_the_answer_was_502(local: LocalDiscord) -> None:
    local.faults.add(kind=FaultKind.APPLIED_STATUS, path=CHANNEL_MESSAGES)
    assert await take_note(local) == "sent"
    assert notes(local) == 1, "discord.py repeats a 502 with the same nonce, which Discord takes once"
    assert await take_note(local) == "sent"
    assert notes(local) == 2, "another message has another nonce"


@pytest.mark.parametrize(("kind", "applied"), [(FaultKind.RESET_BEFORE, 0), (FaultKind.RESET_AFTER, 1)])
@pytest.mark.usefixtures("bot")
async def test_broken_connection(local: LocalDiscord, kind: FaultKind, applied: int) -> None:
    local.faults.add(kind=kind, path=CHANNEL_MESSAGES)
    assert (await take_note(local)).startswith("failed: ")
    assert notes(local) == applied
    broken = [request for request in local.requests if request.fault is kind]
    assert [request.status for request in broken] == [None]


@pytest.mark.usefixtures("bot")
async def test_delay(local: LocalDiscord) -> None:
    local.faults.add(kind=FaultKind.DELAY, path=CHANNEL_MESSAGES, delay_s=0.4)
    assert await take_note(local) == "sent"
    slow = next(request for request in local.requests if request.fault is FaultKind.DELAY)
    assert slow.answered_at - slow.received_at >= 0.4


@pytest.mark.usefixtures("bot")
async def test_rate_limit_is_waited_out(local: LocalDiscord) -> None:
    local.faults.add(kind=FaultKind.RATE_LIMIT, path=CHANNEL_MESSAGES, retry_after_s=0.5)
    started_at = time.monotonic()
    assert await take_note(local) == "sent"
    assert time.monotonic() - started_at >= 0.5
    assert notes(local) == 1


async def test_fault_strikes_as_often_as_told(local: LocalDiscord) -> None:
    local.faults.add(kind=FaultKind.STATUS, path="/gateway", times=2, status=418)
    lasting = local.faults.add(kind=FaultKind.STATUS, path="/users", times=None, status=418)
    headers = {"Authorization": f"Bot {local.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def status(path: str) -> int:
            async with session.get(local.api_base_url + path) as response:
                return response.status

        assert [await status("/gateway") for _ in range(3)] == [418, 418, 200]
        assert [await status("/users/@me") for _ in range(3)] == [418, 418, 418]
        assert lasting.hits == 3
        local.faults.clear()
        assert await status("/users/@me") == 200


async def test_answers_are_exactly_as_discords(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{local.api_base_url}/users/@me") as response:
            assert response.status == 401
            assert response.headers["Content-Type"] == "application/json"
        headers = {"Authorization": f"Bot {local.token}"}
        async with session.get(f"{local.api_base_url}/users/@me", headers=headers) as response:
            assert response.status == 200
            assert (await response.json())["username"] == "Easel"
        async with session.post(f"{local.api_base_url}/interactions/1/x/callback", json={"type": 5}) as response:
            assert (await response.json())["code"] == 10062


async def test_unknown_route_is_a_gap_and_no_5xx() -> None:
    async with LocalDiscord() as local, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {local.token}"}
        async with session.get(f"{local.api_base_url}/no/such/route", headers=headers) as response:
            assert response.status == 400
        assert "no/such/route" in local.gaps[0]


async def test_a_picture_of_very_many_pixels_is_sent_like_any_file(local: LocalDiscord) -> None:
    data = files.raw_png((20_000, 20_000), pixels=b"")
    message = await local.member.send(local.channel, "", attachments=[("a.png", data)])
    assert await local.fetch_cdn(message.attachments[0].url) == data


async def test_files_need_their_signature(local: LocalDiscord) -> None:
    message = await local.member.send(local.channel, "", attachments=[("a.txt", b"text")])
    url = message.attachments[0].url
    assert await local.fetch_cdn(url) == b"text"
    for wrong in (url.split("?")[0], url.replace("hm=", "hm=0"), url.replace("a.txt", "b.txt")):
        with pytest.raises(aiohttp.ClientResponseError, match="404"):
            await local.fetch_cdn(wrong)


async def test_commands_have_a_version_that_changes_with_them(local: LocalDiscord) -> None:
    url = f"{local.api_base_url}/applications/1/commands"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {local.token}"}) as session:

        async def register(description: str) -> dict[str, Any]:
            command = {"name": "x", "description": description, "default_member_permissions": 32}
            async with session.put(url, json=[command]) as response:
                commands: list[dict[str, Any]] = await response.json()
                return commands[0]

        first, same, other = [await register(text) for text in ("one", "one", "two")]
    assert first["default_member_permissions"] == "32"
    assert (first["id"], first["version"]) == (same["id"], same["version"])
    assert first["id"] == other["id"]
    assert first["version"] != other["version"]


async def test_direct_message(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {local.token}"}) as session:
        recipient = {"recipient_id": str(local.member.id)}
        async with session.post(f"{local.api_base_url}/users/@me/channels", json=recipient) as response:
            channel = await response.json()
        url = f"{local.api_base_url}/channels/{channel['id']}/messages"
        async with session.post(url, json={"content": "for you"}) as response:
            assert response.status == 200
    shown = local.messages(channel=local.member.user.dm_channel, viewer=local.member)
    assert [message["content"] for message in shown] == ["for you"]
    assert local.messages() == []


async def test_bot_that_never_comes(local: LocalDiscord) -> None:
    with pytest.raises(TimeoutError, match="did not connect"):
        await local.wait_for_bot(0.05)


async def test_taken_port_is_one_sentence(local: LocalDiscord) -> None:
    port = int(local.api_base_url.split(":")[2].split("/")[0])
    with pytest.raises(PortTaken) as caught:
        await LocalDiscord(port=port).__aenter__()
    assert str(caught.value) == (
        f"Port {port} is in use by another program: choose another with --port (0 takes any free one)."
    )


async def test_replaced_files_are_forgotten_after_a_while(local: LocalDiscord) -> None:
    urls: list[str] = []
    for number in range(70):
        message = await local.member.send(local.channel, "", attachments=[(f"{number}.txt", b"x")])
        urls.append(message.attachments[0].url)
        await local.member.delete(local.messages()[0])
    assert await local.fetch_cdn(urls[-1]) == b"x"
    with pytest.raises(aiohttp.ClientResponseError, match="404"):
        await local.fetch_cdn(urls[0])
    await asyncio.sleep(0)
