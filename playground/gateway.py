"""The gateway: one WebSocket per bot, with sessions that survive a lost connection.

It has the part of Discord's gateway (version 10, plain JSON text) that discord.py uses:
HELLO, IDENTIFY, heartbeats, RESUME with replay, member chunks, and the close codes that
faults cause.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import OrderedDict, deque
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from playground.bridge import EventShaper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playground.bridge import LocalBackend

_log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL_MS = 41_250
HEARTBEAT_ACK_DELAY_S = 0.02
"""Seconds before the acknowledgement of a heartbeat.

On loopback an immediate acknowledgement can come before discord.py notes the time of its
heartbeat. discord.py then reports a connection that is 40 s behind.
"""

REPLAY_FRAMES = 2_000
SESSIONS_KEPT = 8

CLOSE_AUTHENTICATION_FAILED = 4004
CLOSE_DISALLOWED_INTENTS = 4014
CLOSE_GOING_AWAY = 1001


class Op(IntEnum):
    """Gateway operation codes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Connection:
    """One open WebSocket; frames leave it in the order of their arrival."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None]) -> None:
        self.abort = abort
        self._socket = socket
        self._outgoing: asyncio.Queue[str | int] = asyncio.Queue()

    def send(self, op: Op, data: Any = None, *, event: str | None = None, sequence: int | None = None) -> None:
        """Queue one frame."""
        self._outgoing.put_nowait(json.dumps({"op": op, "d": data, "s": sequence, "t": event}, separators=(",", ":")))

    def close(self, code: int) -> None:
        """Close the socket after the queued frames."""
        self._outgoing.put_nowait(code)

    async def write(self) -> None:
        """Send queued frames until the connection ends."""
        with suppress(ConnectionError):
            while isinstance(frame := await self._outgoing.get(), str):
                await self._socket.send_str(frame)
            await self._socket.close(code=frame)


class Session:
    """A bot's session on the gateway. It outlives its connection, so that the bot can resume it."""

    def __init__(
        self, backend: LocalBackend, intents_value: int, shard: tuple[int, int], connection: Connection
    ) -> None:
        self.id = secrets.token_hex(16)
        self.connection: Connection | None = connection
        self.shaper = EventShaper(backend, intents_value, shard, self._dispatch)
        self._sequence = 0
        self._log: deque[tuple[int, str, dict[str, Any]]] = deque(maxlen=REPLAY_FRAMES)

    def resume(self, connection: Connection, after: int) -> None:
        """Continue on a new connection: send the missed events, then RESUMED."""
        if self.connection is not None:
            self.connection.close(CLOSE_GOING_AWAY)
        self.connection = connection
        for sequence, event, payload in self._log:
            if sequence > after:
                connection.send(Op.DISPATCH, payload, event=event, sequence=sequence)
        self._dispatch("RESUMED", {})

    def _dispatch(self, event: str, payload: dict[str, Any]) -> None:
        self._sequence += 1
        self._log.append((self._sequence, event, payload))
        if self.connection is not None:
            self.connection.send(Op.DISPATCH, payload, event=event, sequence=self._sequence)


class Gateway:
    """Accepts bots and passes the world's events to their sessions."""

    def __init__(self, backend: LocalBackend, *, token: str, url: str, on_change: Callable[[], None]) -> None:
        self._backend = backend
        self._token = token
        self._url = url
        self._on_change = on_change
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._connections: set[Connection] = set()
        self._is_duplicating = False
        backend.subscribers.append(self.broadcast)

    @property
    def is_connected(self) -> bool:
        """Whether a bot has identified and is connected now."""
        return any(session.connection is not None for session in self._sessions.values())

    def broadcast(self, event: str, payload: Mapping[str, Any]) -> None:
        """Give an event to every session, connected or not."""
        copies = 1
        if event == "INTERACTION_CREATE" and self._is_duplicating:
            self._is_duplicating = False
            copies = 2
        for session in self._sessions.values():
            for _ in range(copies):
                session.shaper.feed(event, payload)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection from HELLO to its end."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        transport = request.transport
        connection = Connection(socket, transport.abort if transport is not None else lambda: None)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        connection.send(Op.HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS})
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    frame = json.loads(message.data)
                    await self._receive(connection, frame["op"], frame.get("d"))
        finally:
            self._connections.discard(connection)
            for session in self._sessions.values():
                if session.connection is connection:
                    session.connection = None
            writer.cancel()
            self._on_change()
        return socket

    async def _receive(self, connection: Connection, op: int, data: Any) -> None:
        if op == Op.HEARTBEAT:
            asyncio.get_running_loop().call_later(HEARTBEAT_ACK_DELAY_S, connection.send, Op.HEARTBEAT_ACK)
        elif op == Op.IDENTIFY:
            self._identify(connection, data)
        elif op == Op.RESUME:
            session = self._sessions.get(data["session_id"])
            if session is None or data["token"] != self._token:
                connection.send(Op.INVALID_SESSION, data=False)
            else:
                session.resume(connection, int(data["seq"]))
                self._on_change()
        elif op == Op.REQUEST_MEMBERS:
            for session in self._sessions.values():
                if session.connection is connection:
                    await session.shaper.send_members(data)
        else:
            # Presence and voice updates change nothing that a bot can read.
            _log.debug("Ignoring gateway operation %s", op)

    def _identify(self, connection: Connection, data: Mapping[str, Any]) -> None:
        if data["token"] != self._token:
            connection.close(CLOSE_AUTHENTICATION_FAILED)
            return
        number, count = data.get("shard", (0, 1))
        session = Session(self._backend, int(data["intents"]), (number, count), connection)
        if unapproved := session.shaper.unapproved_intents:
            _log.warning("Refusing privileged intents that no portal approved: %s", unapproved)
            connection.close(CLOSE_DISALLOWED_INTENTS)
            return
        self._sessions[session.id] = session
        while len(self._sessions) > SESSIONS_KEPT:
            self._sessions.popitem(last=False)
        session.shaper.greet(session.id, self._url)
        self._on_change()

    # Faults

    def drop(self) -> None:
        """Abort every connection; sessions stay and can be resumed."""
        for connection in self._connections:
            connection.abort()

    def ask_reconnect(self) -> None:
        """Ask every bot to reconnect and resume."""
        for connection in self._connections:
            connection.send(Op.RECONNECT)

    def invalidate_sessions(self, *, is_resumable: bool) -> None:
        """Invalidate every session."""
        for connection in self._connections:
            connection.send(Op.INVALID_SESSION, data=is_resumable)
        if not is_resumable:
            self._sessions.clear()

    def duplicate_next_interaction(self) -> None:
        """Send the next interaction twice."""
        self._is_duplicating = True

    def close_all(self, code: int) -> None:
        """Close every connection with a code."""
        for connection in self._connections:
            connection.close(code)

    def close(self) -> None:
        """Close the connection of every bot."""
        self.close_all(CLOSE_GOING_AWAY)
