"""What an interaction says of where it comes from."""

from typing import Any

import discord
import pytest
from discord.state import ConnectionState

from bot.calls.channels import is_age_restricted
from bot.client import EaselClient


@pytest.fixture
async def guild() -> discord.Guild:
    """A server with an ordinary channel 6 and channel 7 for adults, as Discord would send it."""
    state: ConnectionState[Any] = EaselClient()._connection
    channel: dict[str, Any] = {"type": 0, "position": 0, "permission_overwrites": [], "parent_id": None}
    channels = [
        {**channel, "id": "6", "name": "studio", "nsfw": False},
        {**channel, "id": "7", "name": "adults", "nsfw": True},
    ]
    data: Any = {"id": "5", "name": "A server", "roles": [], "emojis": [], "channels": channels}
    return discord.Guild(data=data, state=state)


def thread_in(guild: discord.Guild, parent_id: int) -> discord.Thread:
    metadata = {"archived": False, "auto_archive_duration": 60, "archive_timestamp": "2026-01-01T00:00:00+00:00"}
    data: Any = {
        "id": "8",
        "type": 11,
        "name": "a thread",
        "parent_id": str(parent_id),
        "owner_id": "1",
        "message_count": 0,
        "member_count": 0,
        "thread_metadata": metadata,
    }
    return discord.Thread(guild=guild, state=guild._state, data=data)


async def test_a_channel_and_its_threads_may_be_for_adults(guild: discord.Guild) -> None:
    assert is_age_restricted(guild.get_channel(7))
    assert is_age_restricted(thread_in(guild, 7))
    assert not is_age_restricted(guild.get_channel(6))
    assert not is_age_restricted(thread_in(guild, 6))


async def test_what_discord_says_nothing_of_is_for_everybody(guild: discord.Guild) -> None:
    assert not is_age_restricted(None)
    assert not is_age_restricted(guild._state.get_channel(99))
    direct: Any = {"id": "9", "type": 1, "recipients": []}
    me: Any = discord.Object(900)
    assert not is_age_restricted(discord.DMChannel(me=me, state=guild._state, data=direct))
