"""Several workers as one backend: hosts behind the link, and the worker of this computer, where it draws too.

`Fleet` decides which of them gets a job. Who waits, who is next and what it costs is the database's matter.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

from pipeline.backends.base import (
    NO_PICTURES,
    Backend,
    BackendStatus,
    HostView,
    WorkerSilent,
    WorkerUnavailable,
)
from pipeline.backends.hosts.host import RemoteHost
from pipeline.backends.hosts.merging import merged_status
from pipeline.backends.hosts.placement import Candidate, best, emptiest, open_models
from pipeline.backends.hosts.presence import Terms
from pipeline.backends.hosts.records import Records
from pipeline.backends.hosts.switchboard import Switchboard
from pipeline.link.link import Door
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import Checked, FoundPart, JobEvent, Progress, Ready
from pipeline.protocol.wire.settings import NO_CHECKING, Checking

LOCAL: Final = ""
"""Name of the worker on the bot's own computer."""

_A = TypeVar("_A")


class Fleet(Backend):
    """Several workers. See `pipeline.backends.base.Backend`.

    Args:
        door: where the server is.
        terms: what hosts are told.
        roster: reads which hosts there are, and whether each is drained by its owner.
        local: the worker of this computer; None if it draws nothing.
    """

    def __init__(
        self, door: Door, terms: Terms, *, roster: Callable[[], Mapping[str, bool]], local: Backend | None
    ) -> None:
        self._switchboard = Switchboard(
            door,
            terms,
            roster=roster,
            on_join=lambda host: self._join(host.name, host),
            on_leave=self._leave,
            on_change=self._tell,
            views=lambda: self.views,
        )
        self._local = local
        self._events: asyncio.Queue[JobEvent | None] = asyncio.Queue()
        self._callbacks: list[Callable[[], None]] = []
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._records = Records(terms.policy.default_key, self._tell)

    async def start(self) -> None:
        """Connect, and start the worker of this computer."""
        if self._local is not None:
            self._join(LOCAL, self._local)
            await self._local.start()
        self._switchboard.start()

    def read_roster(self) -> None:
        """Know new hosts, and drain or give up those that their owner drained or removed."""
        self._switchboard.read_roster()

    async def _leave(self, host: RemoteHost) -> None:
        await host.close()  # the events of its attempts come before the end of its stream
        await self._pumps.pop(host.name)
        self._records.leave(host.name)

    def _join(self, name: str, backend: Backend) -> None:
        self._records.join(name)
        backend.on_ready(self._tell)
        self._pumps[name] = asyncio.create_task(self._pump(name, backend), name=f"events of {name or 'this computer'}")

    async def _pump(self, name: str, backend: Backend) -> None:
        async for event in backend.events():
            if not isinstance(event, Progress):
                self._records.note(name, event)
            self._events.put_nowait(event)

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()

    @property
    def hosts(self) -> Mapping[str, RemoteHost]:
        """The hosts by name."""
        return self._switchboard.hosts

    @property
    def trouble(self) -> str:
        """One sentence on why the hosts cannot be reached; empty if they can."""
        return self._switchboard.link.trouble

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until a worker is ready.

        Raises:
            WorkerUnavailable: none was ready in time.
        """
        waits = [asyncio.create_task(each.wait_ready(timeout_s)) for each in self._members.values()]
        try:
            for done in asyncio.as_completed(waits):
                with contextlib.suppress(WorkerUnavailable):
                    return await done
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        raise WorkerUnavailable(self.status.detail)

    async def submit(
        self,
        job_id: int,
        attempt: int,
        request: Request,
        *,
        pictures: Mapping[str, bytes] = NO_PICTURES,
        checking: Checking = NO_CHECKING,
        is_alone: bool = False,
    ) -> None:
        """Submit an attempt to the best worker that can draw it, or to the next one if that does not take it.

        Raises:
            WorkerUnavailable: none that can is free.
            WorkerSilent: it is not known whether one took it.
        """
        candidates, choose = self._candidates(request), emptiest if is_alone else best
        error = WorkerUnavailable("No free worker can draw this now.")
        while (chosen := choose(candidates, request)) is not None:
            submit = self._members[chosen.name].submit
            try:
                with self._records.of(chosen.name).beginning((job_id, attempt), request):
                    await submit(job_id, attempt, request, pictures=pictures, checking=checking, is_alone=is_alone)
            except WorkerSilent:
                raise
            except WorkerUnavailable as why:
                error = why
                candidates.remove(chosen)
            else:
                return
        raise error

    def _candidates(self, request: Request | None = None) -> list[Candidate]:
        return self._records.candidates(self._members, request)

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt at its next step; an attempt that is not running is ignored."""
        for member in self._members.values():
            await member.cancel(job_id, attempt)

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """Mark the part of a picture that words name.

        Raises:
            WorkerUnavailable: no worker is ready, or none answered in time.
        """
        return await self._ask_any(lambda member: member.find_part(picture, words))

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Rate pictures before a job with them is accepted.

        Raises:
            WorkerUnavailable: no worker is ready, or none answered in time.
        """
        return await self._ask_any(lambda member: member.check(pictures, checking))

    async def finish_pictures(self, asked: FinishPictures) -> FinishedPictures:
        """Make files of pictures that another engine drew.

        Raises:
            WorkerUnavailable: no worker is ready, or none answered in time.
        """
        return await self._ask_any(lambda member: member.finish_pictures(asked))

    async def _ask_any(self, ask: Callable[[Backend], Awaitable[_A]]) -> _A:
        """The answer of the first ready worker that gives one."""
        error = WorkerUnavailable(self.status.detail)
        for member in self._ready_members():
            try:
                return await ask(member)
            except WorkerUnavailable as why:
                error = why
        raise error

    def _ready_members(self) -> list[Backend]:
        """The workers that can be asked, the nearest first, then those with least to do."""
        ready = [each for each in self._members.values() if each.status.ready is not None]
        return sorted(ready, key=lambda each: (each is not self._local, -each.free_slots))

    async def events(self) -> AsyncIterator[JobEvent]:
        """Events of all attempts; ends after `close`."""
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time a worker becomes ready."""
        self._callbacks.append(callback)

    @property
    def status(self) -> BackendStatus:
        """Status of all workers as if they were one."""
        return merged_status([each.status for each in self._members.values()])

    @property
    def free_slots(self) -> int:
        """Number of further attempts that the workers can take now."""
        return sum(each.free_slots for each in self._members.values())

    @property
    def views(self) -> tuple[HostView, ...]:
        """The GPU hosts, sorted by name."""
        return tuple(self._records.shown(self.hosts[name].view) for name in sorted(self.hosts))

    @property
    def open_models(self) -> frozenset[str] | None:
        """Keys of the models with which some worker can take an attempt now; None if there are no hosts."""
        if not self.hosts:
            return None
        return open_models(self._candidates())

    @property
    def offered_models(self) -> frozenset[str] | None:
        """Keys of the models that some ready worker has, busy or not; None if there are no hosts."""
        if not self.hosts:
            return None
        return frozenset(key for each in self._candidates() for key in each.ready.models)

    async def take_over(self, requests: Mapping[Key, Request]) -> set[Key]:
        """Go on with those of these attempts that hosts draw or have drawn.

        Hosts get one lease to introduce themselves.
        """
        return await self._switchboard.take_over(requests)

    def is_lasting(self, job_id: int, attempt: int) -> bool:
        """Whether the attempt goes on while the bot restarts."""
        return any(each.is_lasting(job_id, attempt) for each in self._members.values())

    async def settle(self, job_id: int, attempt: int) -> None:
        """Note that the end of an attempt was kept."""
        for member in self._members.values():
            await member.settle(job_id, attempt)

    async def close(self) -> None:
        """End the worker of this computer, and let go of the hosts, which draw on."""
        for member in self._members.values():
            await member.close()
        await asyncio.gather(*self._pumps.values(), return_exceptions=True)
        await self._switchboard.close()
        self._events.put_nowait(None)

    @property
    def _members(self) -> Mapping[str, Backend]:
        local = {} if self._local is None else {LOCAL: self._local}
        return {**local, **self._switchboard.hosts}
