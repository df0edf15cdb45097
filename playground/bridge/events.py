"""What one gateway session receives of the world's events.

Discord sends an event only if the session asked for its intent, hides message content
without the message-content intent, and tells about members in chunks. SimCord knows
all this in its in-process gateway, which hands finished events to discord.py's
parsers; here the "parsers" are the session's socket.
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
    """Stands where SimCord expects discord.py's table of event parsers."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def __getitem__(self, event: str) -> Callable[[dict[str, Any]], None]:
        return partial(self._deliver_completed, event)

    def get(self, event: str) -> Callable[[dict[str, Any]], None]:
        return self[event]

    def _deliver_completed(self, event: str, payload: dict[str, Any]) -> None:
        self._deliver(event, complete(payload))


class EventShaper:
    """Turns the world's events into those that one session may see."""

    def __init__(self, backend: LocalBackend, intents_value: int, deliver: Deliver) -> None:
        self._backend = backend
        intents = discord.Intents.none()
        intents.value = intents_value
        self._intents = intents
        state = SimpleNamespace(intents=intents, parsers=_ToSocket(deliver))
        self._gateway = FakeGateway(backend, state)
        self._socket = FakeWebSocket(backend, self._gateway)

    @property
    def unapproved_intents(self) -> list[str]:
        """The privileged intents that nobody approved for this application."""
        return missing_privileged_intents(self._intents, discord.Intents.none())

    def feed(self, event: str, payload: Mapping[str, Any]) -> None:
        """Pass an event on, shaped for this session, or drop it."""
        self._gateway.feed(event, payload)

    def greet(self, session_id: str, resume_gateway_url: str, shard: list[int]) -> None:
        """Send what follows an IDENTIFY: READY, then each server in full."""
        guilds = list(self._backend.guilds.values())
        self._gateway.feed(
            "READY",
            {
                "v": 10,
                "user": serializers.user_payload(self._backend.bot_user),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session_id,
                "session_type": "normal",
                "resume_gateway_url": resume_gateway_url,
                "shard": shard,
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
