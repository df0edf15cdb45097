"""Sentences for the owner when Discord closes the gateway for good. A restart alone would end the same way.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import discord

_INTENTS: Final = 4014
_SENTENCES: Final[Mapping[int, str]] = MappingProxyType(
    {
        4004: "Discord does not know this bot token any more (discord.token): it was reset. Copy the new one from the "
        "developer portal and start Easel again; jobs under way go on then.",
        4010: "Discord refuses the number of this connection (a shard). Set discord.shards to 0.",
        4011: "This bot is in more servers than Discord lets its connections serve. Set discord.shards to 0.",
        4012: "Discord no longer speaks the version of its gateway that this Easel speaks. Update Easel.",
        4013: "Discord does not know the intents that this Easel asks for. Update Easel.",
        _INTENTS: "Discord does not allow this bot the intents that Easel asks for, though none is privileged. Look "
        "for a restriction of the bot in the developer portal.",
    }
)


def sentence_of(error: discord.ClientException) -> str | None:
    """The sentence for the end of a connection; None if a new connection may work."""
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return _SENTENCES[_INTENTS]
    return _SENTENCES.get(error.code) if isinstance(error, discord.ConnectionClosed) else None
