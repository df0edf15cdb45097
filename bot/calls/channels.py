"""Kinds of channels that discord.py does not know yet: to Easel each is just a channel.

discord.py 2.7.1 gives an interaction from one no channel, not even its number, which Easel needs to answer there.
"""

from collections.abc import Callable
from typing import Any, Final

import discord

_TEXT: Final = 0
_PUBLIC_THREAD: Final = 11
_DIRECT: Final = 1
_NEEDED: Final = {"name": "", "position": 0}
"""Of a text channel; a new kind may have neither."""
_OF_THREADS: Final = frozenset({"parent_id", "owner_id", "message_count", "member_count", "thread_metadata"})
"""What a thread has, so that the rules of its channel hold."""


def let_in_unknown_channels(client: discord.Client) -> None:
    """Let a client take interactions from every kind of channel."""
    parsers: dict[str, Callable[[Any], None]] = client._connection.parsers  # noqa: SLF001 - there is no other place
    parse = parsers["INTERACTION_CREATE"]
    parsers["INTERACTION_CREATE"] = lambda data: parse(with_known_channel(data))


def with_known_channel(data: dict[str, Any]) -> dict[str, Any]:
    """An interaction whose channel is of a kind that the library knows, with all that it says of itself."""
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
