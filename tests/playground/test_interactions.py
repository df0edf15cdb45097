"""A real bot's answers to commands, buttons and forms."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from playground.bridge import SetupError

if TYPE_CHECKING:
    from playground import LocalDiscord
    from tests.playground.conftest import Bot

pytestmark = pytest.mark.usefixtures("bot")


def file_names(message: dict[str, Any]) -> list[str]:
    return [item["filename"] for item in message["attachments"]]


async def painted(local: LocalDiscord, name: str) -> dict[str, Any]:
    return await local.wait_for_message(lambda message: file_names(message) == [name])


async def test_direct_answer(local: LocalDiscord) -> None:
    result = await local.member.slash(local.channel, "hello")
    assert result.response is not None
    assert (result.response.content, result.response.ephemeral) == ("Hello Mia (member)", True)
    acknowledged_in_s = local.acknowledged_in_s(result)
    assert acknowledged_in_s is not None
    assert 0 < acknowledged_in_s < 1


async def test_defer_then_deliver_a_picture(local: LocalDiscord) -> None:
    result = await local.member.slash(local.channel, "paint", prompt="an apple", seconds=0.3)
    assert result.deferred
    assert result.response is not None
    assert result.response.flags.loading
    message = await painted(local, "red.png")
    assert result.response.id == int(message["id"])
    assert not message["flags"] & 128
    container = message["components"][0]
    gallery = next(item for item in container["components"] if item["type"] == 12)
    media = gallery["items"][0]["media"]
    assert (media["width"], media["height"]) == (96, 64)
    assert media["url"] == message["attachments"][0]["url"]
    image = Image.open(io.BytesIO(await local.fetch_cdn(media["url"])))
    assert (image.format, image.size, image.getpixel((0, 0))) == ("PNG", (96, 64), (255, 0, 0))
    assert message["attachments"][0]["description"] == "an apple"


async def test_button_edits_its_own_message(local: LocalDiscord) -> None:
    await local.member.slash(local.channel, "paint", prompt="an apple")
    message = await painted(local, "red.png")
    result = await local.friend.click(message, label="Make it blue")
    assert result.acknowledged
    assert result.response is not None
    assert result.response.id == int(message["id"])
    assert (await painted(local, "blue.png"))["id"] == message["id"]


async def test_button_opens_a_form(local: LocalDiscord) -> None:
    await local.member.slash(local.channel, "paint", prompt="an apple")
    shown = await local.friend.click(await painted(local, "red.png"), label="Remix")
    assert shown.modal is not None
    assert shown.modal["title"] == "Remix"
    result = await local.friend.submit_modal(shown, {"prompt": "a pear"})
    assert result.response is not None
    assert result.response.content == "You wrote: a pear"


async def test_form_refuses_what_a_client_would(local: LocalDiscord) -> None:
    shown = await local.friend.slash(local.channel, "ask")
    with pytest.raises(SetupError, match="max_length"):
        await local.friend.submit_modal(shown, {"prompt": "x" * 61})


async def test_autocomplete(local: LocalDiscord) -> None:
    choices = await local.member.autocomplete(local.channel, "paint", "size", "port", prompt="x")
    assert choices == [{"name": "portrait", "value": "portrait"}]


async def test_two_people_at_once(local: LocalDiscord) -> None:
    hello, paint, friend = await asyncio.gather(
        local.member.slash(local.channel, "hello"),
        local.member.slash(local.channel, "paint", prompt="mine", seconds=0.5),
        local.friend.slash(local.channel, "paint", prompt="theirs", seconds=0.5),
    )
    assert hello.response is not None
    assert hello.response.content == "Hello Mia (member)"
    assert paint.response is not None
    assert friend.response is not None
    assert paint.response.id != friend.response.id
    for result, prompt in ((paint, "mine"), (friend, "theirs")):
        message = await local.wait_for_message(lambda m, p=prompt: f"{p} (square)" in str(m["components"]))
        assert result.response is not None
        assert int(message["id"]) == result.response.id


async def test_only_the_caller_sees_a_private_answer(local: LocalDiscord) -> None:
    await local.member.slash(local.channel, "hello")
    contents = {
        viewer.name if viewer else None: [message["content"] for message in local.messages(viewer=viewer)]
        for viewer in (local.member, local.friend, None)
    }
    assert contents == {"mia": ["Hello Mia (member)"], "finn": [], None: []}


async def test_commands_are_shown_to_those_who_may_use_them(local: LocalDiscord) -> None:
    with pytest.raises(SetupError, match="default-member-permissions"):
        await local.member.slash(local.channel, "secret")
    result = await local.admin.slash(local.channel, "secret")
    assert result.response is not None
    assert result.response.content == "True"


async def test_late_acknowledgement_is_refused(local: LocalDiscord, bot: Bot) -> None:
    result = await local.member.slash(local.channel, "slow", seconds=3.2)
    assert not result.acknowledged
    await bot.printed("refused with 10062")
    assert local.messages(viewer=local.member) == []


async def test_uploaded_picture_arrives_with_its_size(local: LocalDiscord) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (12, 34)).save(buffer, "PNG")
    result = await local.member.slash(local.channel, "lookat", source=("a.png", buffer.getvalue()))
    assert result.response is not None
    assert result.response.content == f"12x34 {len(buffer.getvalue())}"


async def test_embed_shows_the_uploaded_picture(local: LocalDiscord) -> None:
    await local.member.slash(local.channel, "card")
    image = local.messages()[0]["embeds"][0]["image"]
    assert (image["width"], image["height"]) == (40, 30)
    assert await local.fetch_cdn(image["url"])


async def test_upload_over_the_limit(local: LocalDiscord) -> None:
    await local.member.slash(local.channel, "heavy")
    message = await local.wait_for_message(lambda message: bool(message["content"]))
    assert message["content"] == "10485760 413 40005"


async def test_upload_limit_can_be_lowered(local: LocalDiscord) -> None:
    local.attachment_size_limit = 1000
    await local.member.slash(local.channel, "heavy")
    message = await local.wait_for_message(lambda message: bool(message["content"]))
    assert message["content"] == "1000 413 40005"


async def test_payloads_have_what_discord_sends(local: LocalDiscord) -> None:
    await local.member.slash(local.channel, "paint", prompt="an apple")
    message = await painted(local, "red.png")
    owners = {"0": str(local.guild.id)}
    assert message["interaction_metadata"]["authorizing_integration_owners"] == owners
    assert message["author"]["primary_guild"] is None


async def test_wait_for_message_says_what_it_saw(local: LocalDiscord) -> None:
    await local.member.send(local.channel, "something else")
    with pytest.raises(TimeoutError, match="something else"):
        await local.wait_for_message(lambda message: message["content"] == "never", 0.1)
