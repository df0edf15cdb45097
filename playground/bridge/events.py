"""The events that one gateway session receives.

Discord sends an event only with its intent, hides message content without the
message-content intent, and sends members in chunks. SimCord's in-process gateway does
all this and calls discord.py's parsers with the result. Here the "parsers" write to the
session's socket.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import discord
from simcord.backend import serializers
from simcord.gateway import FakeGateway, FakeWebSocket
from simcord.intents import missing_privileged_intents

from playground.bridge.backend import complete

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playground.bridge.backend import LocalBackend

    Deliver = Callable[[str, dict[str, Any]], None]


class _ToSocket:
    """Replaces discord.py's table of event parsers, which SimCord expects."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def __getitem__(self, event: str) -> Callable[[dict[str, Any]], None]:
        return partial(self._deliver_completed, event)

    def get(self, event: str) -> Callable[[dict[str, Any]], None]:
        return self[event]

    def _deliver_completed(self, event: str, payload: dict[str, Any]) -> None:
        self._deliver(event, complete(payload))


class EventShaper:
    """Turns the world's events into the events of one session, which serves one shard: its number, and their count."""

    def __init__(self, backend: LocalBackend, intents_value: int, shard: tuple[int, int], deliver: Deliver) -> None:
        self._backend = backend
        self._shard = shard
        intents = discord.Intents.none()
        intents.value = intents_value
        self._intents = intents
        state = SimpleNamespace(intents=intents, parsers=_ToSocket(deliver))
        self._gateway = FakeGateway(backend, state)
        self._socket = FakeWebSocket(backend, self._gateway)

    @property
    def unapproved_intents(self) -> list[str]:
        """The privileged intents that this application does not have."""
        return missing_privileged_intents(self._intents, discord.Intents.none())

    def feed(self, event: str, payload: Mapping[str, Any]) -> None:
        """Pass an event to this session in the form that it may see, or drop it."""
        guild_id = payload.get("id" if event.startswith("GUILD_") and "guild_id" not in payload else "guild_id")
        if self._is_of_shard(int(guild_id or 0)):
            self._gateway.feed(event, payload)

    def _is_of_shard(self, guild_id: int) -> bool:
        """Whether this session serves a server; 0, all that belongs to no server, goes to the first shard."""
        number, count = self._shard
        return (guild_id >> 22) % count == number

    def greet(self, session_id: str, resume_gateway_url: str) -> None:
        """Answer an IDENTIFY: send READY, then each server."""
        guilds = [guild for guild in self._backend.guilds.values() if self._is_of_shard(guild.id)]
        self._gateway.feed(
            "READY",
            {
                "v": 10,
                "user": serializers.user_payload(self._backend.bot_user),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session_id,
                "session_type": "normal",
                "resume_gateway_url": resume_gateway_url,
                "shard": [*self._shard],
                "application": {"id": str(self._backend.application_id), "flags": 0},
                "private_channels": [],
            },
        )
        for guild in guilds:
            self._gateway.feed(
                "GUILD_CREATE",
                cast("Mapping[str, Any]", serializers.guild_create_payload(self._backend, guild)),
            )

    async def send_members(self, request: Mapping[str, Any]) -> None:
        """Answer a request for a server's members with chunks."""
        users = request.get("user_ids")
        if users is not None and not isinstance(users, list):
            users = [users]
        await self._socket.request_chunks(
            int(request["guild_id"]),
            request.get("query"),
            limit=int(request.get("limit", 0)),
            user_ids=[int(user) for user in users] if users else None,
            presences=bool(request.get("presences", False)),
            nonce=request.get("nonce"),
        )
