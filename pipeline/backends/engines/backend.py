"""Backend for one engine of others: one or more equal servers, whose pictures a worker of ours finishes.

A server that goes away is nobody's fault: its attempts have failed with `HOST_LOST`, so they are tried again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from pipeline.backends.attempts import Attempts
from pipeline.backends.base import NO_PICTURES, Backend, BackendStatus, HostView, WorkerState, WorkerUnavailable
from pipeline.backends.engines.cleaning import Clean, NoPicture
from pipeline.backends.engines.drawing import Drawing
from pipeline.backends.engines.server import DrawingFailed, Facts, Server, ServerAway
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Request
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Checked, Failed, Finished, FoundPart, Progress, Ready
from pipeline.protocol.wire.settings import NO_CHECKING, Checking

_AWAY_S: Final = 2.0
"""Greatest number of seconds between two looks at a server that is away."""
_log = structlog.get_logger(__name__)


class _Place:
    """A server, what it said last, and what it draws."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.facts: Facts | None = None
        self.trouble = f"{server.url} was not asked yet."
        self.running: set[Key] = set()
        self.rests_until = 0.0


class EngineBackend(Backend):
    """One engine. See `pipeline.backends.base.Backend`.

    Args:
        name: the owner's name for it.
        servers: its servers, each of which has all of the models.
        specs: the models that it draws.
        each: attempts that each server draws at once.
        worker: finishes the pictures; it is started and closed by others.
        clean: makes PNGs of what servers send.
        preview_interval_s: seconds between two previews of an attempt; 0 shows none.
    """

    def __init__(
        self,
        name: str,
        servers: Sequence[Server],
        *,
        specs: Sequence[ModelSpec],
        each: int,
        worker: Backend,
        clean: Clean,
        preview_interval_s: float = 0.0,
    ) -> None:
        self.name = name
        self._places = [_Place(server) for server in servers]
        self._specs = {spec.key: spec for spec in specs}
        self._each = each
        self._drawing = Drawing(name, specs, worker, clean, preview_interval_s)
        self._attempts = Attempts()
        self._tasks: dict[Key, asyncio.Task[Finished | Failed]] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._callbacks: list[Callable[[], None]] = []
        self._changed = asyncio.Condition()
        self._is_closed = False

    async def start(self) -> None:
        """Begin to look at the servers."""
        for place in self._places:
            self._watching.append(asyncio.create_task(self._watch(place), name=f"look at {self.name}"))

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until a server answers.

        Raises:
            WorkerUnavailable: none did in time.
        """
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self.status.ready is not None)
        except TimeoutError as error:
            raise WorkerUnavailable(self.status.detail) from error
        ready = self.status.ready
        if ready is None:
            raise WorkerUnavailable(self.status.detail)
        return ready

    async def submit(
        self,
        job_id: int,
        attempt: int,
        request: Request,
        *,
        pictures: Mapping[str, bytes] = NO_PICTURES,  # noqa: ARG002 - these models are given none
        checking: Checking = NO_CHECKING,
        is_alone: bool = False,
    ) -> None:
        """Have an attempt drawn by the server that has least to do.

        Raises:
            WorkerUnavailable: every server is away or busy, or none has the model.
        """
        if not isinstance(request, GenerationRequest) or request.model_key not in self._specs:
            raise WorkerUnavailable(f"The engine {self.name} does not draw this.")
        if not is_alone and self.free_slots < 1:
            raise WorkerUnavailable(self.status.detail or f"The engine {self.name} is busy.")
        key = (job_id, attempt)
        async with self._attempts.joining(key, is_alone=is_alone):
            place = min(self._open, key=lambda each: len(each.running), default=None)
            if place is None:
                raise WorkerUnavailable(self.status.detail)
            place.running.add(key)
            task = asyncio.create_task(self._run(place, key, request, checking), name=f"draw {job_id}")
            self._tasks[key] = task
            # A task that is cancelled before its first step runs nothing of its function.
            task.add_done_callback(partial(self._end, place, key))

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Have the server stop; an attempt that is not running is ignored."""
        task = self._tasks.get((job_id, attempt))
        if task is not None:
            task.cancel()

    async def find_part(self, picture: bytes, words: str) -> FoundPart:  # noqa: ARG002 - as it says
        """Engines of others find nothing.

        Raises:
            WorkerUnavailable: always.
        """
        raise WorkerUnavailable("Engines of others find no parts of pictures.")

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:  # noqa: ARG002 - as above
        """Engines of others rate nothing.

        Raises:
            WorkerUnavailable: always.
        """
        raise WorkerUnavailable("Engines of others rate no pictures.")

    async def events(self) -> AsyncIterator[Progress | Finished | Failed]:
        """Events of all attempts; ends after `close`."""
        async for event in self._attempts.events():
            yield event

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time a server comes or goes."""
        self._callbacks.append(callback)

    @property
    def status(self) -> BackendStatus:
        """Present status of the engine: as good as its best server."""
        there = [place.facts for place in self._places if place.facts is not None]
        state = WorkerState.READY if there else WorkerState.RESTARTING
        return BackendStatus(
            state=WorkerState.STOPPED if self._is_closed else state,
            ready=self._ready(there) if there else None,
            rss_bytes=0,
            phase="running" if self._attempts else "idle",
            restarts=0,
            detail=self._detail,
        )

    @property
    def _detail(self) -> str:
        if self._is_closed:
            return f"The engine {self.name} is closed."
        return "" if any(place.facts for place in self._places) else self._places[0].trouble

    def _ready(self, there: Sequence[Facts]) -> Ready:
        first = there[0]
        missing = {key: why for key, why in first.missing.items() if all(key in each.missing for each in there)}
        return Ready(
            protocol_version=PROTOCOL_VERSION,
            device=self.name,
            device_name=first.device,
            dtype="",
            vram_bytes=0,
            models=tuple(key for key in self._specs if key not in missing),
            missing=missing,
            capacity=self._each * len(there),
            versions={},
        )

    @property
    def free_slots(self) -> int:
        """Number of further attempts that the servers can take now."""
        if self._attempts.is_reserved:
            return 0
        return sum(max(0, self._each - len(place.running)) for place in self._open)

    @property
    def _open(self) -> list[_Place]:
        if self._is_closed:
            return []
        return [place for place in self._places if place.facts is not None and len(place.running) < self._each]

    @property
    def views(self) -> tuple[HostView, ...]:
        """Its servers as an owner is shown them."""
        return tuple(self._view(number, place) for number, place in enumerate(self._places, start=1))

    def _view(self, number: int, place: _Place) -> HostView:
        facts, running = place.facts, len(place.running)
        missing = () if facts is None else facts.missing.values()
        state = "away" if facts is None else "drawing" if running else "ready"
        return HostView(
            name=self.name if len(self._places) == 1 else f"{self.name} {number}",
            state=state,
            detail=place.trouble if facts is None else next(iter(missing), ""),
            running=running,
            capacity=self._each,
            device="" if facts is None else facts.device,
            models=() if facts is None else tuple(key for key in self._specs if key not in facts.missing),
            easel="",
        )

    async def close(self) -> None:
        """Have the servers stop. Running attempts get no event."""
        if self._is_closed:
            return
        self._is_closed = True
        self._attempts.forget()
        tasks = {*self._watching, *self._tasks.values()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for place in self._places:
            await place.server.close()
        self._attempts.end()

    async def _watch(self, place: _Place) -> None:
        """Look at a server again and again, until cancelled."""
        while True:
            await asyncio.sleep(place.rests_until - asyncio.get_running_loop().time())
            try:
                await self._note(place, await place.server.look(), "")
            except ServerAway as error:
                await self._note(place, None, str(error))
            # A server that answers nonsense may be well again at the next look.
            except Exception as error:  # noqa: BLE001 - see above
                await self._note(place, None, f"{place.server.url} does not answer as it should ({error!r}).")
            await asyncio.sleep(min(_AWAY_S, place.server.look_s) if place.facts is None else place.server.look_s)

    async def _note(self, place: _Place, facts: Facts | None, trouble: str) -> None:
        """Keep what a look at a server has shown, and tell of a change."""
        if trouble and (place.facts is not None or place.trouble != trouble):
            _log.warning("engine away", action="engine_away", engine=self.name, detail=trouble)
        has_changed = facts != place.facts or trouble != place.trouble
        place.facts, place.trouble = facts, trouble
        if has_changed:
            async with self._changed:
                self._changed.notify_all()
            for callback in self._callbacks:
                callback()

    async def _run(self, place: _Place, key: Key, request: GenerationRequest, checking: Checking) -> Finished | Failed:
        """Draw and finish an attempt; returns its final event."""
        try:
            return await self._drawing.finished(
                place.server, place.facts, key, request, checking, self._attempts.hand_on
            )
        except DrawingFailed as error:
            return _failed(key, error.reason, error.detail)
        except NoPicture as error:
            return _failed(key, FailureReason.ENGINE_FAILED, str(error))
        except ServerAway as error:
            await self._note(place, None, str(error))
            place.rests_until = asyncio.get_running_loop().time() + error.rest_s
            return _failed(key, FailureReason.HOST_LOST, str(error))
        # Whatever happens, an attempt has an end.
        except Exception as error:  # noqa: BLE001 - see above
            _log.exception("drawing elsewhere failed", action="engine_failed", engine=self.name)
            return _failed(key, FailureReason.INTERNAL, repr(error))

    def _end(self, place: _Place, key: Key, task: asyncio.Task[Finished | Failed]) -> None:
        """Tell the end of an attempt, and that there is room for another one."""
        place.running.discard(key)
        del self._tasks[key]
        self._attempts.hand_on(_failed(key, FailureReason.CANCELLED, "") if task.cancelled() else task.result())


def _failed(key: Key, reason: FailureReason, detail: str) -> Failed:
    return Failed(job_id=key[0], attempt=key[1], reason=reason, detail=detail)
