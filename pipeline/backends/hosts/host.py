"""Backend for one host, whose agent speaks over the link.

A host holds its attempts by a *lease*: the bot counts the seconds in which it hears nothing, and gives the host up when
they are too many. Then its attempts have failed with `HOST_LOST`. A host that is back is told what is not wanted of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence

import structlog

from pipeline.backends.attempts import Attempts
from pipeline.backends.base import (
    NO_PICTURES,
    Backend,
    BackendStatus,
    HostView,
    WorkerSilent,
    WorkerState,
    WorkerUnavailable,
)
from pipeline.backends.hosts.arrivals import Arrivals
from pipeline.backends.hosts.asking import Asking
from pipeline.backends.hosts.ends import checked_progress
from pipeline.backends.hosts.presence import Presence, Terms
from pipeline.link.link import Link
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.hosts import BotAnswer, Done, Hello, Key, Welcome
from pipeline.protocol.wire.messages import Checked, FoundPart, JobEvent, Progress, Ready
from pipeline.protocol.wire.settings import NO_CHECKING, Checking

_log = structlog.get_logger(__name__)


class RemoteHost(Backend):
    """One host. See `pipeline.backends.base.Backend`.

    Args:
        name: the host's name.
        link: the link to it.
        terms: what it is told.
        fetching: how many ends are fetched at once, from all hosts together.
        has_taken_over: whether it is known what the host may have drawn for an earlier run of the bot.
    """

    def __init__(
        self, name: str, link: Link, terms: Terms, fetching: asyncio.Semaphore, *, has_taken_over: bool
    ) -> None:
        self.name = name
        self.presence = Presence(name, terms, lambda: link.is_up)
        """Whether it is there, and what it said of itself."""
        self._terms = terms
        self._attempts = Attempts()
        self._asking = Asking(link, name, lambda: self.presence.knows)
        self._arrivals = Arrivals(link, name, self._attempts, fetching, lambda: self.presence.is_here)
        self._has_taken_over = has_taken_over
        self._callbacks: list[Callable[[], None]] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Nothing to do: the host comes by itself."""

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until the host is ready.

        Raises:
            WorkerUnavailable: it was not ready in time.
        """
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self.presence.ready is not None)
        except TimeoutError as error:
            raise WorkerUnavailable(self.status.detail) from error
        ready = self.presence.ready
        if ready is None:
            raise WorkerUnavailable(self.status.detail)
        return ready

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
        """Submit an attempt.

        Raises:
            WorkerUnavailable: the host did not take it.
            WorkerSilent: it did not answer. If it took the attempt, the next `Welcome` drops it.
        """
        if not is_alone and self.free_slots < 1:
            raise WorkerUnavailable(self.status.detail or f"The host {self.name} takes no more attempts.")
        key = (job_id, attempt)
        try:
            # It counts while it is asked about, so that no other attempt takes its place.
            async with self._attempts.joining(key, is_alone=is_alone):
                self._arrivals.requests[key] = request
                await self._asking.submit(key, request, pictures, checking)
        except BaseException as error:
            self._arrivals.requests.pop(key, None)
            if isinstance(error, WorkerSilent):
                await self._asking.introduce()
            raise

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt at its next step; an attempt that is not running is ignored."""
        if (job_id, attempt) in self._attempts:
            self._spawn(self._cancel((job_id, attempt)))

    async def _cancel(self, key: Key) -> None:
        """Say it until the host heard it, or the attempt ended."""
        while key in self._attempts:
            if await self._asking.cancel(key):
                return
            await asyncio.sleep(self._terms.beat_s)

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """Mark the part of a picture that words name. See `Backend`."""
        return await self._asking.find_part(picture, words)

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Rate pictures before a job with them is accepted. See `Backend`."""
        return await self._asking.check(pictures, checking)

    async def finish_pictures(self, asked: FinishPictures) -> FinishedPictures:
        """Make files of pictures that another engine drew. See `Backend`."""
        return await self._asking.finish_pictures(asked)

    async def events(self) -> AsyncIterator[JobEvent]:
        """Events of the host's attempts; ends after `close`."""
        async for event in self._attempts.events():
            yield event

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time the host becomes ready."""
        self._callbacks.append(callback)

    @property
    def status(self) -> BackendStatus:
        """Present status of the host's worker."""
        hello, beat = self.presence.hello, self.presence.beat
        state, detail = self.presence.state
        return BackendStatus(
            state=state,
            ready=None if hello is None else hello.ready,
            rss_bytes=0 if beat is None else beat.rss_bytes,
            phase="idle" if beat is None else beat.phase,
            restarts=0 if beat is None else beat.restarts,
            detail=detail,
        )

    @property
    def view(self) -> HostView:
        """What its owner is shown of it."""
        status, hello = self.status, self.presence.hello
        ready = status.ready
        state = {
            WorkerState.STARTING: "starting" if hello is not None else "expected",
            WorkerState.RESTARTING: "away" if not self.presence.is_here else "starting",
            WorkerState.STOPPED: "draining",
            WorkerState.READY: "drawing" if self.running else "ready",
        }.get(status.state, "unusable")
        return HostView(
            name=self.name,
            state=state,
            detail=status.detail,
            running=self.running,
            capacity=0 if ready is None else ready.capacity,
            device="" if ready is None else ready.device_name,
            models=() if ready is None else ready.models,
            easel="" if hello is None else hello.easel,
        )

    @property
    def free_slots(self) -> int:
        """Number of further attempts that the host can take now."""
        ready = self.presence.ready
        if ready is None or self._attempts.is_reserved:
            return 0
        # What is drawn takes no slot while its end waits to be fetched. The bound keeps ends from piling up there.
        coming = min(len(self._arrivals.coming), ready.capacity)
        return max(0, ready.capacity - len(self._attempts) + coming)

    async def take_over(self, requests: Mapping[Key, Request]) -> set[Key]:
        """Go on with those of these attempts that the host draws or has drawn; it is told to drop all others."""
        hello = self.presence.hello
        known = () if hello is None else (*hello.running, *hello.done)
        taken = {key for key in known if key in requests}
        for key in taken:
            self._attempts.add(key)
            self._arrivals.requests[key] = requests[key]
        self._has_taken_over = True
        await self._asking.introduce()
        return taken

    def is_lasting(self, job_id: int, attempt: int) -> bool:
        """Whether the attempt goes on while the bot restarts: the host draws it, or keeps its end."""
        return (job_id, attempt) in self._attempts or (job_id, attempt) in self._arrivals

    async def settle(self, job_id: int, attempt: int) -> None:
        """Tell the host that the end of an attempt was kept, so that it forgets it."""
        await self._arrivals.settle((job_id, attempt))

    async def close(self) -> None:
        """Let go of the host, which draws on."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._attempts.forget()
        self._attempts.end()

    @property
    def running(self) -> int:
        """Number of its attempts that are drawn."""
        return len(self._attempts) - len(self._arrivals.coming)

    async def hear_hello(self, hello: Hello) -> BotAnswer:
        """Answer an agent that introduces itself."""
        presence = self.presence
        refusal = presence.refusal(hello)
        if refusal is not None:
            return refusal
        if presence.is_anew(hello):
            await self._lose("was started anew")
        was_ready = presence.ready is not None
        presence.take(hello)
        if hello.is_leaving:
            # What a leaving host neither draws nor keeps, it could not end in time.
            self._fail("left", but={*hello.running, *hello.done, *self._arrivals.coming})
        async with self._changed:
            self._changed.notify_all()
        if presence.ready is not None and not was_ready:
            for callback in self._callbacks:
                callback()
        return Welcome(beat_s=self._terms.beat_s, policy=self._terms.policy, drop=self._unwanted(hello))

    def _unwanted(self, hello: Hello) -> tuple[Key, ...]:
        if not self._has_taken_over:
            return ()
        known = (*hello.running, *hello.done)
        return tuple(key for key in known if key not in self._attempts and key not in self._arrivals)

    def hear_progress(self, progress: Progress) -> None:
        """Hand a word about an attempt on."""
        if self.presence.is_here:
            self._attempts.hand_on(checked_progress(progress))

    async def hear_done(self, done: Done, reply: str) -> None:
        """Take the end of an attempt. Before it is known which attempts are wanted, the agent has to ask again."""
        if self._has_taken_over:
            await self._arrivals.hear(done, reply)

    async def count_silence(self, seconds: float) -> None:
        """Count seconds in which the host could have been heard; it is given up after too many."""
        if self.presence.count(seconds):
            await self._lose("was not heard any more")

    async def remove(self) -> None:
        """Give the host up for good, since its owner removed it."""
        await self._lose("was removed")

    async def _lose(self, how: str) -> None:
        self.presence.is_here = False
        _log.warning("host lost", action="host_lost", host=self.name, detail=how, running=len(self._attempts))
        self._fail(how, but=self._arrivals.coming)
        async with self._changed:
            self._changed.notify_all()

    def _fail(self, how: str, *, but: Collection[Key]) -> None:
        self._attempts.fail(FailureReason.HOST_LOST, f"The host {self.name} {how}.", but=but)
        wanted = self._arrivals.requests
        for key in [key for key in wanted if key not in self._attempts]:
            del wanted[key]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
