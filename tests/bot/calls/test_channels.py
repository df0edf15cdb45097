"""A kind of channel that the library does not know yet is just a channel."""

from typing import Any, cast

import discord
import pytest

from bot.calls.channels import is_age_restricted, with_known_channel
from bot.client import EaselClient
from bot.interactions.start_job import asker_of
from tests.kill_points.members import interaction
from tests.kill_points.tiny_discord import BOT_USER

CHANNEL = {"id": "500", "permissions": "0"}
METADATA = {"archived": False, "auto_archive_duration": 60, "archive_timestamp": "2026-01-01T00:00:00+00:00"}
THREAD = {
    **CHANNEL,
    "name": "a thread",
    "parent_id": "400",
    "owner_id": "1",
    "message_count": 0,
    "member_count": 0,
    "thread_metadata": METADATA,
}


async def seen(channel: dict[str, Any], **about: Any) -> discord.Interaction[Any]:
    """What the bot sees of an interaction in this channel."""
    client = EaselClient()
    state: Any = client._connection
    state.user = discord.ClientUser(state=state, data=cast("Any", BOT_USER))
    found: list[discord.Interaction[Any]] = []
    state.dispatch = lambda _, interaction: found.append(interaction)
    state._command_tree = None
    state.parsers["INTERACTION_CREATE"](
        {**interaction(2001, "a cat"), "channel": channel, "channel_id": "500", **about}
    )
    (only,) = found
    return only


@pytest.mark.parametrize("kind", [14, 17, 99, None])
async def test_an_unknown_kind_of_channel_is_a_channel(kind: int | None) -> None:
    found = await seen({**CHANNEL, "type": kind, "nsfw": True})
    assert (found.channel_id, asker_of(found).channel_id) == (500, 500)
    assert is_age_restricted(found.channel)


async def test_an_unknown_kind_of_thread_has_the_rules_of_its_channel() -> None:
    assert asker_of(await seen({**THREAD, "type": 99})).parent_channel_id == 400
    assert asker_of(await seen({**CHANNEL, "type": 99, "thread_metadata": METADATA})).parent_channel_id is None


async def test_an_unknown_kind_of_direct_message_is_one() -> None:
    user = {"id": "42", "username": "m", "discriminator": "0", "avatar": None}
    found = await seen({**CHANNEL, "type": 98}, guild_id=None, guild=None, member=None, user=user)
    assert (found.channel_id, asker_of(found).guild_id) == (500, 0)


def test_what_is_known_stays_as_it_is() -> None:
    for kind in (0, 1, 2, 5, 11, 13, 15, 16):
        data = {"guild_id": "5", "channel": {**CHANNEL, "type": kind}}
        assert with_known_channel(data) is data
    assert with_known_channel({"channel_id": "6", "guild_id": "5"})["channel"]["id"] == "6"
    assert with_known_channel({}) == {}
