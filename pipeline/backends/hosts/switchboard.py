"""The bot's end of the link to all hosts: it gives each word to the host that said it, and counts silence."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg

from pipeline.backends.base import HostView
from pipeline.backends.hosts.host import RemoteHost
from pipeline.backends.hosts.presence import Terms
from pipeline.link.link import Door, Link
from pipeline.link.parcels import ParcelRefused, make_bucket
from pipeline.link.subjects import FLEET, FROM_HOSTS, host_of, inbox_of, to_host
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.hosts import Beat, Done, Hello, Introduce, Key, Rejected, decode_from_host

_TICK_S: Final = 0.25
_MOST_COUNTED_S: Final = 0.5
"""Most silence that one tick counts. A bot that stood still heard nobody, and nobody is to blame."""
_FETCHED_AT_ONCE: Final = 8
_ECHO: Final = "easel.echo"
_ECHO_S: Final = 1.0
"""Silence counts only while the server sends the bot its own words back."""

_log = structlog.get_logger(__name__)


class Switchboard:
    """The link to all hosts.

    Args:
        door: where the server is.
        terms: what hosts are told.
        roster: reads which hosts there are, and whether each is drained by its owner.
        on_join: called with each host that becomes known.
        on_leave: called with each host that was removed, after its attempts have failed.
        on_change: called when the roster was read again.
        views: what the owner is shown of the hosts.
    """

    def __init__(
        self,
        door: Door,
        terms: Terms,
        *,
        roster: Callable[[], Mapping[str, bool]],
        on_join: Callable[[RemoteHost], None],
        on_leave: Callable[[RemoteHost], Coroutine[None, None, None]],
        on_change: Callable[[], None],
        views: Callable[[], Sequence[HostView]],
    ) -> None:
        handlers = {FROM_HOSTS: self._hear, FLEET: self._hear_owner, _ECHO: self._hear_echo}
        self._link = Link(door, handlers=handlers, on_up=self._on_up)
        self._terms = terms
        self._read_roster = roster
        self._on_join = on_join
        self._on_leave = on_leave
        self._on_change = on_change
        self._views = views
        self._fetching = asyncio.Semaphore(_FETCHED_AT_ONCE)
        self._echoed_at = 0.0
        self._has_taken_over = False
        self._heard = asyncio.Condition()
        self._ticking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.hosts: dict[str, RemoteHost] = {}
        """The hosts by name."""

    @property
    def link(self) -> Link:
        """The link."""
        return self._link

    def start(self) -> None:
        """Connect."""
        self.read_roster()
        self._link.start()
        self._ticking = asyncio.create_task(self._tick_forever(), name="leases of hosts")

    def read_roster(self) -> None:
        """Know new hosts, and drain or give up those that their owner drained or removed."""
        roster = self._read_roster()
        for name, is_draining in roster.items():
            if name not in self.hosts:
                self.hosts[name] = RemoteHost(
                    name, self._link, self._terms, self._fetching, has_taken_over=self._has_taken_over
                )
                self._on_join(self.hosts[name])
                self._spawn(self._invite(name))
            self.hosts[name].presence.is_draining = is_draining
        for name in [name for name in self.hosts if name not in roster]:
            self._spawn(self._remove(self.hosts.pop(name)))
        self._on_change()

    async def take_over(self, requests: Mapping[Key, Request]) -> set[Key]:
        """Have hosts go on with these attempts. They get one lease to introduce themselves."""
        if requests:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._terms.lease_s), self._heard:
                    await self._heard.wait_for(lambda: all(each.presence.hello for each in self.hosts.values()))
        self._has_taken_over = True
        taken: set[Key] = set()
        for host in [*self.hosts.values()]:
            taken |= await host.take_over(requests)
        return taken

    async def close(self) -> None:
        """Let go of all hosts."""
        for task in (*self._tasks, *((self._ticking,) if self._ticking is not None else ())):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._link.close()

    async def _remove(self, host: RemoteHost) -> None:
        await host.remove()
        await self._on_leave(host)

    async def _invite(self, name: str) -> None:
        """Make a host's bucket and ask the host to introduce itself."""
        if self._link.is_up:
            with contextlib.suppress(ParcelRefused):
                await make_bucket(self._link.streams, name)
            await self._link.say(to_host(name), Introduce())

    def _on_up(self) -> None:
        self._echoed_at = asyncio.get_running_loop().time()
        for name, host in self.hosts.items():
            host.presence.count_anew()
            self._spawn(self._invite(name))

    async def _hear(self, message: Msg) -> None:
        """Take a word of a host. Its name comes from the subject, which the server checked, and from nowhere else."""
        name = host_of(message.subject)
        host = self.hosts.get(name)
        # An answer goes to the host that asked. Otherwise a host could have the bot speak to others.
        reply = message.reply if message.reply.startswith(f"{inbox_of(name)}.") else ""
        try:
            word = decode_from_host(message.data)
        except ProtocolError as error:
            _log.warning("a host is not understood", action="host_not_understood", host=name, detail=str(error))
            return
        if host is None:
            if reply:
                await self._link.say(reply, Rejected(sentence=f"The host {name} was removed; invite it again."))
            return
        match word:
            case Hello():
                await self._greet(host, word, reply)
            case Beat():
                if not host.presence.hear(word):
                    await self._link.say(to_host(name), Introduce())
            case Done():
                self._spawn(host.hear_done(word, reply))
            case _:
                host.hear_progress(word)

    async def _greet(self, host: RemoteHost, hello: Hello, reply: str) -> None:
        answer = await host.hear_hello(hello)
        if reply:
            await self._link.say(reply, answer)
        async with self._heard:
            self._heard.notify_all()

    async def _hear_owner(self, message: Msg) -> None:
        """The owner changed the roster, or asks after the hosts; the answer is what they are like now."""
        try:
            self.read_roster()
        except Exception:  # noqa: BLE001 - whatever is wrong with the owner's file, hosts draw on
            _log.exception("the roster cannot be read", action="roster_failed")
        if message.reply:
            await self._link.send(message.reply, msgspec.json.encode(self._views()))

    async def _hear_echo(self, message: Msg) -> None:  # noqa: ARG002 - that it came is all it says
        self._echoed_at = asyncio.get_running_loop().time()

    async def _tick_forever(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await self._link.send(_ECHO, b"")
            await asyncio.sleep(_TICK_S)
            now = loop.time()
            seconds, before = min(now - before, _MOST_COUNTED_S), now
            if self._link.is_up and now - self._echoed_at < _ECHO_S:
                for host in [*self.hosts.values()]:
                    await host.count_silence(seconds)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
