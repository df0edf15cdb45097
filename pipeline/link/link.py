"""A connection to the NATS server that comes back by itself.

Of nats-py's own reconnection nothing is used: after some errors it closes the client for good. Here each connection is
a new client, and `on_up` tells its owner to introduce itself again.
"""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.errors import Error, NoServersError
from nats.js import JetStreamContext

from pipeline.link.pinning import pinned
from pipeline.link.subjects import inbox_of
from pipeline.protocol.wire.codec import encode_body

_CONNECT_S: Final = 5
_PING_S: Final = 2
"""Seconds between two pings. A connection without an answer to two of them is given up."""
_CLOSE_S: Final = 1.0
_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 1.0
"""Most seconds between two tries to connect. After a long absence of the server, a host must be heard before its lease
ends, or what it draws is drawn again elsewhere.
"""
_PENDING_BYTES: Final = 64 * 1024 * 1024
"""Bytes of received words that may wait for their handlers."""

_log = structlog.get_logger(__name__)

Handler = Callable[[Msg], Awaitable[None]]


class NoAnswer(Exception):
    """Nobody answered in time, or there is no connection; the message is a sentence."""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Where and as whom to connect.

    Attributes:
        address: host and port of the server.
        name: name of the client: a host's, or `BOT`.
        seed: its private key.
        fingerprint: SHA-256 of the server's certificate in hexadecimal digits.
    """

    address: str
    name: str
    seed: str
    fingerprint: str


class Link:
    """A client's connection to the server.

    Args:
        door: where and as whom to connect.
        handlers: what to do with received words, by subject. Words of one subject are handled one after another.
        on_up: called after each connection.
    """

    def __init__(self, door: Door, *, handlers: Mapping[str, Handler], on_up: Callable[[], None]) -> None:
        self._door = door
        self._handlers = handlers
        self._on_up = on_up
        self._client: Client | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self.trouble = "The link to the NATS server is being made."
        """One sentence on why there is no connection; empty while there is one."""

    @property
    def is_up(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._client is not None

    def start(self) -> None:
        """Connect, now and after each loss."""
        self._keeping = asyncio.create_task(self._keep(), name="link to hosts")

    async def close(self) -> None:
        """End the connection."""
        keeping = self._keeping
        while keeping is not None and not keeping.done():
            # The library swallows a cancellation that reaches it while it closes.
            keeping.cancel()
            await asyncio.wait({keeping}, timeout=_CLOSE_S)

    async def say(self, subject: str, word: msgspec.Struct) -> None:
        """Publish a word. Without a connection it is lost."""
        await self.send(subject, encode_body(word))

    async def send(self, subject: str, body: bytes) -> None:
        """Publish bytes. Without a connection they are lost."""
        if self._client is not None:
            with contextlib.suppress(Error):
                await self._client.publish(subject, body)

    async def ask(self, subject: str, word: msgspec.Struct, within_s: float) -> bytes:
        """Publish a word and wait for its answer.

        Raises:
            NoAnswer: there was none in time, or there is no connection.
        """
        return await self.request(subject, encode_body(word), within_s)

    async def request(self, subject: str, body: bytes, within_s: float) -> bytes:
        """Publish bytes and wait for their answer.

        Raises:
            NoAnswer: there was none in time, or there is no connection.
        """
        client = self._client
        if client is None:
            raise NoAnswer(self.trouble)
        try:
            return (await client.request(subject, body, timeout=within_s)).data
        except Error as error:
            raise NoAnswer("No answer came in time.") from error

    @property
    def streams(self) -> JetStreamContext:
        """JetStream over the present connection.

        Raises:
            NoAnswer: there is no connection.
        """
        if self._client is None:
            raise NoAnswer(self.trouble)
        return self._client.jetstream()

    async def _keep(self) -> None:
        pause_s = _PAUSE_S
        while True:
            client, closed = Client(), asyncio.Event()
            try:
                await self._connect(client, closed)
                self._client, self.trouble, pause_s = client, "", _PAUSE_S
                _log.info("link up", action="link_up", address=self._door.address)
                self._on_up()
                await closed.wait()
                self._note("The connection to the NATS server was lost.")
            except (OSError, Error, TimeoutError) as error:
                self._note(self._sentence(error))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)
            finally:
                self._client = None
                await _close(client)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            self._error = error
            _log.debug("nats error", action="nats_error", error=repr(error))

        await client.connect(
            f"tls://{self._door.address}",
            name=self._door.name,
            nkeys_seed_str=self._door.seed,
            inbox_prefix=inbox_of(self._door.name),
            tls=pinned(self._door.fingerprint),
            tls_handshake_first=True,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_CONNECT_S,
            ping_interval=_PING_S,
            closed_cb=on_closed,
            disconnected_cb=on_closed,
            error_cb=on_error,
        )
        for subject, handler in self._handlers.items():
            await client.subscribe(subject, cb=handler, pending_bytes_limit=_PENDING_BYTES)

    def _note(self, sentence: str) -> None:
        if sentence != self.trouble:
            _log.warning("link down", action="link_down", address=self._door.address, detail=sentence)
        self.trouble = sentence

    def _sentence(self, error: Exception) -> str:
        address = self._door.address
        # Of an address that cannot be reached, the library says only that there is none left.
        error = self._error if isinstance(error, NoServersError) and self._error is not None else error
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"At {address} another server answers than the line names ({error.args[-1]}); invite this host again."
            )
        if "authorization" in str(error).casefold():
            return f"The server at {address} does not know this host (any more); invite it again."
        return f"The NATS server at {address} cannot be reached ({_reason(error)}); it is tried again."


async def _close(client: Client) -> None:
    """Close a client, without the half minute that TLS would wait for the other side of a dead network."""
    with contextlib.suppress(OSError, Error, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await client.close()
    transport = client._transport  # noqa: SLF001 - the library offers no abort
    if isinstance(transport, TcpTransport) and transport._io_writer is not None:  # noqa: SLF001 - as above
        transport._io_writer.transport.abort()  # noqa: SLF001 - as above


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
