"""Our workers and engines of others as one backend: the catalogue says who draws a model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

import msgspec

from pipeline.backends.base import NO_PICTURES, Backend, BackendStatus, HostView, WorkerState, WorkerUnavailable
from pipeline.backends.engines.backend import EngineBackend
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.hosts import Key
from pipeline.protocol.wire.messages import Checked, FoundPart, JobEvent, Ready
from pipeline.protocol.wire.settings import NO_CHECKING, Checking


class JoinedBackend(Backend):
    """Our workers, and engines of others. See `pipeline.backends.base.Backend`.

    A worker of ours finishes what engines draw. So they draw nothing while none is ready.

    Args:
        worker: our workers.
        engines: the engine of each model that one of them draws, by the model's key.
        own_keys: keys of all entries of the catalogue that our workers have.
    """

    def __init__(self, worker: Backend, engines: Mapping[str, EngineBackend], own_keys: Collection[str]) -> None:
        self._worker = worker
        self._by_model = engines
        self._engines = [*dict.fromkeys(engines.values())]
        self._own_keys = frozenset(own_keys)
        self._events: asyncio.Queue[JobEvent | None] = asyncio.Queue()
        self._pumps: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start our workers, and look at the engines' servers."""
        for each in self._all:
            self._pumps.append(asyncio.create_task(self._pump(each), name="events of an engine"))
            await each.start()

    @property
    def _all(self) -> list[Backend]:
        return [self._worker, *self._engines]

    async def _pump(self, backend: Backend) -> None:
        async for event in backend.events():
            self._events.put_nowait(event)

    async def wait_ready(self, timeout_s: float) -> Ready:
        """Wait until a worker of ours is ready.

        Raises:
            WorkerUnavailable: none was in time.
        """
        return self._with_engines(await self._worker.wait_ready(timeout_s))

    def _drawer(self, model_key: str) -> Backend:
        return self._by_model.get(model_key, self._worker)

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
        """Submit an attempt to who draws its model.

        Raises:
            WorkerUnavailable: nobody can take it now.
            WorkerSilent: as in `Backend.submit`.
        """
        drawer = self._drawer(request.model_key)
        if drawer is not self._worker and not self._is_ready:
            raise WorkerUnavailable(self._worker.status.detail)
        await drawer.submit(job_id, attempt, request, pictures=pictures, checking=checking, is_alone=is_alone)

    @property
    def _is_ready(self) -> bool:
        return self._worker.status.state is WorkerState.READY

    async def cancel(self, job_id: int, attempt: int) -> None:
        """Stop an attempt; one that is not running is ignored."""
        for each in self._all:
            await each.cancel(job_id, attempt)

    async def find_part(self, picture: bytes, words: str) -> FoundPart:
        """Mark the part of a picture that words name. See `Backend`."""
        return await self._worker.find_part(picture, words)

    async def check(self, pictures: Sequence[bytes], checking: Checking) -> Checked:
        """Rate pictures before a job with them is accepted. See `Backend`."""
        return await self._worker.check(pictures, checking)

    async def finish_pictures(self, asked: FinishPictures) -> FinishedPictures:
        """Make files of pictures that another engine drew. See `Backend`."""
        return await self._worker.finish_pictures(asked)

    async def take_over(self, requests: Mapping[Key, Request]) -> set[Key]:
        """Go on with what our workers still draw."""
        return await self._worker.take_over(requests)

    def is_lasting(self, job_id: int, attempt: int) -> bool:
        """Whether the attempt goes on while the bot restarts."""
        return self._worker.is_lasting(job_id, attempt)

    async def settle(self, job_id: int, attempt: int) -> None:
        """Note that the end of an attempt was kept."""
        await self._worker.settle(job_id, attempt)

    async def events(self) -> AsyncIterator[JobEvent]:
        """Events of all attempts; ends after `close`."""
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Register a callback for each time one of them becomes ready."""
        for each in self._all:
            each.on_ready(callback)

    @property
    def status(self) -> BackendStatus:
        """Status of our workers, with what engines offer."""
        status = self._worker.status
        ready = None if status.ready is None else self._with_engines(status.ready)
        return msgspec.structs.replace(status, ready=ready)

    def _with_engines(self, ready: Ready) -> Ready:
        """What our workers and the engines offer together. The models of an engine that is away are missing."""
        missing: dict[str, str] = {}
        for key, engine in self._by_model.items():
            status = engine.status
            why = status.detail if status.ready is None else status.ready.missing.get(key, "")
            if why:
                missing[key] = why
        models = tuple(key for key in self._by_model if key not in missing)
        return msgspec.structs.replace(ready, models=(*ready.models, *models), missing={**ready.missing, **missing})

    @property
    def free_slots(self) -> int:
        """Number of further attempts that all can take now."""
        engines = sum(each.free_slots for each in self._engines) if self._is_ready else 0
        return self._worker.free_slots + engines

    @property
    def views(self) -> tuple[HostView, ...]:
        """The GPU hosts, then the servers of engines."""
        return (*self._worker.views, *(view for each in self._engines for view in each.views))

    @property
    def open_models(self) -> frozenset[str]:
        """Keys of the models with which somebody can take an attempt now."""
        own = self._worker.open_models
        if own is None:
            own = self._own_keys if self._worker.free_slots > 0 else frozenset()
        if not self._is_ready:
            return own
        return own | {key for key, engine in self._by_model.items() if engine.free_slots > 0}

    @property
    def offered_models(self) -> frozenset[str]:
        """Keys of the models that some ready worker or engine has, busy or not."""
        own = self._worker.offered_models
        statuses = {key: engine.status for key, engine in self._by_model.items()}
        theirs = {key for key, status in statuses.items() if status.ready is not None and key in status.ready.models}
        return (self._own_keys if own is None else own) | theirs

    async def close(self) -> None:
        """End our workers, and have the engines stop."""
        for each in reversed(self._all):
            await each.close()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self._events.put_nowait(None)
