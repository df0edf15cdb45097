"""What every backend promises, tried with each: a process, GPU hosts, ComfyUI, an image service, and two joined."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from bot.pictures.drawn import clean
from pipeline.backends.base import Backend, WorkerState, WorkerUnavailable
from pipeline.backends.engines import backend as backend_module
from pipeline.backends.engines.backend import EngineBackend
from pipeline.backends.engines.comfyui import ComfyServer
from pipeline.backends.engines.joined import JoinedBackend
from pipeline.backends.engines.server import Server
from pipeline.backends.engines.services import ServiceServer
from pipeline.protocol.catalogue.engines import DrawnBy, Workflow
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import RETRYABLE, FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Progress
from tests.hosts import computers
from tests.hosts.conftest import Rig
from tests.hosts.conftest import server as server  # noqa: PLC0414 - a fixture, seen by these tests
from tests.pipeline.backends.conftest import PATIENCE_S, Make, wait_until
from tests.small_comfyui import WORKFLOW, small_comfyui
from tests.small_openai import small_openai


@dataclass
class Case:
    """A started backend with two places.

    Attributes:
        backend: it.
        model_key: a model that it draws.
        losing: words of a prompt in whose middle the drawer is lost, or that wait for `lose`.
        lose: called then.
    """

    backend: Backend
    model_key: str
    losing: str
    lose: Callable[[], Awaitable[None]] | None = None
    seen: list[JobEvent] = field(default_factory=list[JobEvent])
    listening: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self.listening = asyncio.create_task(self._listen(self.backend.events()))
        await self.ready()

    async def ready(self) -> None:
        """Wait until the model can be drawn twice at once."""

        def is_ready() -> bool:
            models = self.backend.open_models
            is_open = models is None or self.model_key in models
            return is_open and self.backend.free_slots >= 2 and self.backend.status.state is WorkerState.READY

        await wait_until(is_ready)

    async def _listen(self, events: AsyncIterator[JobEvent]) -> None:
        async for event in events:
            self.seen.append(event)
            if not isinstance(event, Progress):
                await self.backend.settle(event.job_id, event.attempt)

    async def submit(self, request: GenerationRequest, job: int, prompt: str, *, is_alone: bool = False) -> None:
        wanted = msgspec.structs.replace(request, prompt=prompt, model_key=self.model_key)
        await self.backend.submit(job, 1, wanted, is_alone=is_alone)

    def ends(self) -> list[Finished | Failed]:
        return [event for event in self.seen if not isinstance(event, Progress)]

    async def ended(self, count: int) -> list[Finished | Failed]:
        await wait_until(lambda: len(self.ends()) >= count)
        return self.ends()

    async def begun(self, job: int) -> None:
        await wait_until(lambda: any(event.job_id == job for event in self.seen))

    async def close(self) -> None:
        await self.backend.close()
        if self.listening is not None:
            async with asyncio.timeout(PATIENCE_S):
                await self.listening


@pytest.fixture
def way() -> str:
    return "exec"


@pytest.fixture(params=["process", "hosts", "comfyui", "service", "joined"])
async def case(
    request: pytest.FixtureRequest,
    server: computers.Server,
    make: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Case]:
    monkeypatch.setattr(backend_module, "_AWAY_S", 0.05)
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "hosts":
            rig = Rig(server, tmp_path, 5.0)
            stack.push_async_callback(rig.close)
            rig.invite().start()
            await rig.begin()
            made = Case(rig.fleet, "pocket", "fall")
        else:
            made = await _made(request.param, make, stack)
        await made.begin()
        yield made
        await made.close()


async def _made(kind: str, make: Make, stack: contextlib.AsyncExitStack) -> Case:
    worker = make("good")
    if kind == "process":
        await worker.start()
        return Case(worker, "pocket", "fall")
    if kind == "service":
        service = await stack.enter_async_context(small_openai())
        drawn_by = DrawnBy(engine="e", model="gpt-image-1")
        backend = _engine(worker, ServiceServer(service.url, None, {"theirs": drawn_by}, look_s=0.1), drawn_by)
        await worker.start()
        await worker.wait_ready(PATIENCE_S)
        await backend.start()
        return Case(backend, "theirs", "cut")
    comfyui = await stack.enter_async_context(small_comfyui())
    workflows = {"theirs": Workflow(json.dumps(WORKFLOW))}
    engine = _engine(worker, ComfyServer(comfyui.url, None, workflows, look_s=0.1), DrawnBy(engine="e", workflow="f"))
    backend: Backend = engine
    if kind == "joined":
        backend = JoinedBackend(worker, {"theirs": engine}, ["pocket"])
    else:
        await worker.start()
        await worker.wait_ready(PATIENCE_S)
    await backend.start()

    async def lose() -> None:
        await comfyui.stop()
        await wait_until(lambda: engine.free_slots == 0)
        await comfyui.start()

    return Case(backend, "theirs", "wait", lose)


def _engine(worker: Backend, server: Server, drawn_by: DrawnBy) -> EngineBackend:
    spec = ModelSpec(key="theirs", title="Theirs", license="none", drawn_by=drawn_by)
    return EngineBackend("e", [server], specs=[spec], each=2, worker=worker, clean=clean)


async def test_who_is_ready_says_what_it_draws(case: Case) -> None:
    ready = await case.backend.wait_ready(PATIENCE_S)
    assert case.model_key in ready.models
    assert case.model_key not in ready.missing
    assert ready.capacity >= 2
    open_models = case.backend.open_models
    assert open_models is None or case.model_key in open_models


async def test_an_attempt_has_one_end_which_comes_last(case: Case, request_: GenerationRequest) -> None:
    free = case.backend.free_slots
    await case.submit(request_, 1, "a star")
    (end,) = await case.ended(1)
    assert isinstance(end, Finished)
    assert (end.job_id, end.attempt, len(end.outputs)) == (1, 1, 1)
    assert all(isinstance(event, Progress) for event in case.seen[:-1])
    await wait_until(lambda: case.backend.free_slots == free)
    await case.backend.cancel(1, 1)  # it has ended, so nothing follows
    await case.submit(request_, 2, "a star")
    assert [end.job_id for end in await case.ended(2)] == [1, 2]


async def test_two_at_once_end_each(case: Case, request_: GenerationRequest) -> None:
    await asyncio.gather(case.submit(request_, 1, "a star"), case.submit(request_, 2, "a moon"))
    ends = await case.ended(2)
    assert {end.job_id for end in ends if isinstance(end, Finished)} == {1, 2}


async def test_a_cancelled_attempt_ends_once_and_alone(case: Case, request_: GenerationRequest) -> None:
    await case.submit(request_, 1, "wait")
    await case.begun(1)
    for key in ((1, 2), (9, 1), (1, 1), (1, 1)):
        await case.backend.cancel(*key)
    assert await case.ended(1) == [Failed(job_id=1, attempt=1, reason=FailureReason.CANCELLED)]
    await case.submit(request_, 2, "a star")
    first, second = await case.ended(2)
    assert (first.job_id, second.job_id) == (1, 2)
    assert isinstance(second, Finished)


async def test_whoever_is_lost_gives_the_attempt_back_and_comes_again(case: Case, request_: GenerationRequest) -> None:
    await case.submit(request_, 1, case.losing)
    if case.lose is not None:
        await case.begun(1)
        await case.lose()
    (end,) = await case.ended(1)
    assert isinstance(end, Failed)
    assert end.reason in RETRYABLE
    await case.ready()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            # A host may be free a moment later than it seems. The dispatcher asks again too.
            with contextlib.suppress(WorkerUnavailable):
                await case.submit(request_, 2, "a star")
                break
            await asyncio.sleep(0.05)
    _, second = await case.ended(2)
    assert isinstance(second, Finished)


async def test_a_lone_attempt_has_no_company(case: Case, request_: GenerationRequest) -> None:
    await case.submit(request_, 1, "wait")
    await case.begun(1)
    alone = asyncio.create_task(case.submit(request_, 2, "a star", is_alone=True))
    await asyncio.sleep(0.2)
    assert [event for event in case.seen if event.job_id == 2] == []
    await case.backend.cancel(1, 1)
    await alone
    first, second = await case.ended(2)
    assert (first.job_id, second.job_id) == (1, 2)
    assert isinstance(second, Finished)


async def test_a_closed_one_says_nothing_more_and_takes_nothing(case: Case, request_: GenerationRequest) -> None:
    await case.submit(request_, 1, "wait")
    await case.begun(1)
    await case.close()
    assert case.ends() == []
    with pytest.raises(WorkerUnavailable):
        await case.submit(request_, 2, "a star")
    await case.backend.close()
