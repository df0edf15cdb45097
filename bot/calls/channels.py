"""Channels for adults, and channel kinds that discord.py does not know yet, which are treated as usual channels.

discord.py 2.7.1 gives an interaction from an unknown kind no channel and no channel id. Easel needs the id to answer.
"""

from collections.abc import Callable
from typing import Any, Final

import discord

_CHANNELS: Final = (
    discord.TextChannel,
    discord.VoiceChannel,
    discord.StageChannel,
    discord.ForumChannel,
    discord.Thread,
)
"""Channel kinds that a server may restrict to adults."""
_TEXT: Final = 0
_PUBLIC_THREAD: Final = 11
_DIRECT: Final = 1
_NEEDED: Final = {"name": "", "position": 0}
"""Fields that discord.py needs in a text channel. A new kind may lack them."""
_OF_THREADS: Final = frozenset({"parent_id", "owner_id", "message_count", "member_count", "thread_metadata"})
"""Fields of a thread. A channel with all of them is read as a thread, so that its parent channel's rules apply."""


def is_age_restricted(channel: object) -> bool:
    """Whether Discord restricts a channel to adults. A thread counts like its channel.

    Direct messages are not restricted, since nobody marked them as a place for adults.
    """
    return isinstance(channel, _CHANNELS) and channel.is_nsfw()


def let_in_unknown_channels(client: discord.Client) -> None:
    """Let a client accept interactions from every channel kind."""
    parsers: dict[str, Callable[[Any], None]] = client._connection.parsers  # noqa: SLF001 - there is no other place
    parse = parsers["INTERACTION_CREATE"]
    parsers["INTERACTION_CREATE"] = lambda data: parse(with_known_channel(data))


def with_known_channel(data: dict[str, Any]) -> dict[str, Any]:
    """Return the interaction with a channel kind that discord.py knows. All other fields of the channel stay."""
    channel = data.get("channel") or {}
    if "id" not in channel and "channel_id" in data:
        channel = {**channel, "id": data["channel_id"]}
    if "id" not in channel or _is_known(channel.get("type")):
        return data
    is_thread = channel.keys() >= _OF_THREADS
    kind = _DIRECT if data.get("guild_id") is None else _PUBLIC_THREAD if is_thread else _TEXT
    return {**data, "channel": {**_NEEDED, **channel, "type": kind}}


def _is_known(kind: object) -> bool:
    return any(kind == known.value for known in discord.ChannelType)
