"""An agent: it takes attempts from the bot, has its own worker draw them, and keeps their ends until the bot has them.

It holds no truth. When the bot is away it draws on; when it is back, it says what it draws and what it keeps, and the
bot says what of it is not wanted any more.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from typing import Final

import structlog
from nats.aio.msg import Msg

from pipeline.agent.ends import Ends
from pipeline.backends.base import Backend, BackendStatus, WorkerState, WorkerUnavailable
from pipeline.link.line import Line
from pipeline.link.link import Door, Link, NoAnswer
from pipeline.link.parcels import ParcelLost, fetch
from pipeline.link.subjects import from_host, to_host
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.wire.finishing import FinishPictures
from pipeline.protocol.wire.hosts import (
    KNOWN_FIELDS,
    OLDEST_PROTOCOL,
    Beat,
    Hello,
    HostAnswer,
    Introduce,
    Key,
    NotTaken,
    Parcel,
    Policy,
    Rejected,
    Taken,
    ToHost,
    Welcome,
    decode_bot_answer,
    decode_to_host,
    encode_answer,
)
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Cancel, Check, FindPart, Progress, Submit

_ANSWER_S: Final = 2.0
_AGAIN_S: Final = 1.0
_PROGRESS_S: Final = 0.1
"""Least seconds between two words about the progress of attempts; only the newest of each is said."""

_log = structlog.get_logger(__name__)


class Agent:
    """One host.

    Args:
        line: address and credentials.
        make_backend: makes the supervised worker that follows a policy.
        easel: version of Easel.
    """

    def __init__(self, line: Line, *, make_backend: Callable[[Policy], Backend], easel: str) -> None:
        self._host = line.name
        self._make_backend = make_backend
        self._easel = easel
        self._boot = secrets.token_hex(8)
        door = Door(address=line.address, name=line.name, seed=line.seed, fingerprint=line.fingerprint)
        self._backend: Backend | None = None
        self._policy: Policy | None = None
        self._beat_s = 1.0
        self._running: set[Key] = set()
        self._unwanted: set[Key] = set()
        self._progress: dict[Key, Progress] = {}
        self._told: tuple[WorkerState, str] | None = None
        self._is_leaving = self._is_renewing = False
        self._rejection = ""
        self._introduce = asyncio.Event()
        self._link = Link(door, handlers={to_host(line.name): self._hear}, on_up=self._introduce.set)
        self._ends = Ends(self._link, line.name, self._boot)
        self._progressed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event, drain_s: float) -> None:
        """Work until `stopping`; then end what is running, for `drain_s` seconds at most."""
        self._link.start()
        try:
            async with asyncio.TaskGroup() as group:
                loops = {
                    group.create_task(self._introduce_forever(), name="introduce"),
                    group.create_task(self._beat_forever(), name="beat"),
                    group.create_task(self._say_progress_forever(), name="progress"),
                }
                await stopping.wait()
                await self._leave(drain_s)
                while loops := {loop for loop in loops if not loop.done()}:
                    # `asyncio.wait_for` swallows a cancellation that comes together with an answer.
                    for loop in loops:
                        loop.cancel()
                    await asyncio.wait(loops, timeout=_AGAIN_S)
        finally:
            for task in [*self._tasks]:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._ends.close()
            if self._backend is not None:
                await self._backend.close()
            await self._link.close()

    async def _leave(self, drain_s: float) -> None:
        """Take no more, and end what there is. The last words tell the bot what it must give to others."""
        self._is_leaving = True
        _log.info("leaving", action="leaving", running=len(self._running))
        self._introduce.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self._idle.wait()
                await self._ends.wait()
        self._running.clear()
        with contextlib.suppress(NoAnswer):
            await self._link.ask(from_host(self._host), self._hello(), _ANSWER_S)

    async def _introduce_forever(self) -> None:
        while True:
            await self._introduce.wait()
            self._introduce.clear()
            try:
                answer = decode_bot_answer(await self._link.ask(from_host(self._host), self._hello(), _ANSWER_S))
            except (NoAnswer, ProtocolError):
                await self._again()
                continue
            if isinstance(answer, Welcome):
                await self._follow(answer)
            rejection = answer.sentence if isinstance(answer, Rejected) else ""
            if rejection and rejection != self._rejection:
                _log.warning("no work for this host", action="rejected", detail=rejection)
            self._rejection = rejection
            if rejection:
                await self._again()

    async def _again(self) -> None:
        await asyncio.sleep(_AGAIN_S)
        self._introduce.set()

    def _hello(self) -> Hello:
        status = self._status
        self._told = (status.state, status.detail)
        return Hello(
            oldest=OLDEST_PROTOCOL,
            newest=PROTOCOL_VERSION,
            boot=self._boot,
            easel=self._easel,
            policy=self._policy,
            state=status.state,
            detail=status.detail,
            ready=status.ready if status.state is WorkerState.READY else None,
            running=tuple(sorted(self._running)),
            done=self._ends.keys,
            is_leaving=self._is_leaving,
            knows=KNOWN_FIELDS,
        )

    async def _follow(self, welcome: Welcome) -> None:
        """Do what the bot wants: forget what it does not want any more, and draw by its policy."""
        self._beat_s = welcome.beat_s
        for key in welcome.drop:
            self._ends.forget(key)
            if key in self._running and self._backend is not None:
                self._unwanted.add(key)
                await self._backend.cancel(*key)
        if welcome.policy != self._policy and not self._is_renewing:
            self._is_renewing = True
            self._spawn(self._renew(welcome.policy))

    async def _renew(self, policy: Policy) -> None:
        """Start a worker that follows this policy. The bot gives no work meanwhile, so the present one becomes idle."""
        await self._idle.wait()
        if self._backend is not None:
            await self._backend.close()
        self._policy, self._is_renewing = policy, False
        self._backend = self._make_backend(policy)
        self._backend.on_ready(self._introduce.set)
        self._spawn(self._follow_events(self._backend))
        await self._backend.start()
        self._introduce.set()

    async def _follow_events(self, backend: Backend) -> None:
        async for event in backend.events():
            key = (event.job_id, event.attempt)
            if isinstance(event, Progress):
                self._progress[key] = event
                self._progressed.set()
                continue
            self._progress.pop(key, None)
            # The end is among the kept ones before it leaves the running ones, so that no `Hello` lacks it.
            if key not in self._unwanted:
                self._ends.add(event)
            self._unwanted.discard(key)
            self._end(key)

    def _end(self, key: Key) -> None:
        self._running.discard(key)
        if not self._running:
            self._idle.set()

    async def _say_progress_forever(self) -> None:
        while True:
            await self._progressed.wait()
            self._progressed.clear()
            newest, self._progress = self._progress, {}
            for progress in newest.values():
                await self._link.say(from_host(self._host), progress)
            await asyncio.sleep(_PROGRESS_S)

    async def _beat_forever(self) -> None:
        while True:
            status = self._status
            if self._told is not None and self._told != (status.state, status.detail):
                self._introduce.set()
            beat = Beat(boot=self._boot, phase=status.phase, rss_bytes=status.rss_bytes, restarts=status.restarts)
            await self._link.say(from_host(self._host), beat)
            await asyncio.sleep(self._beat_s)

    async def _hear(self, message: Msg) -> None:
        self._spawn(self._answer(message))

    async def _answer(self, message: Msg) -> None:
        try:
            answer = await self._do(await self._word(message.data))
        except (ProtocolError, ParcelLost, NoAnswer) as error:
            answer = NotTaken(detail=str(error))
        if message.reply and answer is not None:
            await self._link.send(message.reply, encode_answer(answer))

    async def _word(self, body: bytes) -> ToHost:
        word = decode_to_host(body)
        if isinstance(word, Parcel):
            word = decode_to_host(await fetch(self._link.streams, self._host, word.name))
        return word

    async def _do(self, word: ToHost) -> HostAnswer | None:
        """The answer to a word; None if it needs none."""
        if isinstance(word, Introduce):
            self._introduce.set()
            return None
        if self._backend is None:
            return NotTaken(detail="The worker was not started yet.")
        try:
            return await self._ask_worker(self._backend, word)
        except WorkerUnavailable as error:
            return NotTaken(detail=str(error))

    async def _ask_worker(self, backend: Backend, word: ToHost) -> HostAnswer:
        match word:
            case Submit():
                return await self._submit(backend, word)
            case Cancel():
                await backend.cancel(word.job_id, word.attempt)
                return Taken()
            case FindPart():
                return await backend.find_part(word.picture, word.words)
            case Check():
                return await backend.check(word.pictures, word.checking)
            case FinishPictures():
                return await backend.finish_pictures(word)
            case _:
                return NotTaken(detail="A worker does not know this word.")

    async def _submit(self, backend: Backend, word: Submit) -> HostAnswer:
        key = (word.job_id, word.attempt)
        if key in self._running or key in self._ends.keys:
            return Taken()
        if self._is_leaving or backend.free_slots < 1:
            return NotTaken(detail="The host is leaving or full.")
        # It runs before anything else can be said, so that each `Hello` after the answer has it.
        self._running.add(key)
        self._idle.clear()
        try:
            await backend.submit(
                word.job_id, word.attempt, word.request, pictures=word.pictures, checking=word.checking
            )
        except WorkerUnavailable:
            self._end(key)
            raise
        return Taken()

    @property
    def _status(self) -> BackendStatus:
        if self._backend is not None:
            return self._backend.status
        detail = "The agent has not heard from the bot yet."
        state = WorkerState.STARTING
        return BackendStatus(state=state, ready=None, rss_bytes=0, phase="idle", restarts=0, detail=detail)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
