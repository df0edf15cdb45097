"""The ComfyUI backend, over real HTTP and WebSockets to a small server of ComfyUI's interface."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from bot.pictures.drawn import clean
from pipeline.backends.base import WorkerUnavailable
from pipeline.backends.engines import backend as backend_module
from pipeline.backends.engines.backend import EngineBackend
from pipeline.backends.engines.comfyui import ComfyServer
from pipeline.backends.engines.joined import JoinedBackend
from pipeline.protocol.catalogue.engines import DrawnBy, Workflow
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Progress
from tests.pipeline.backends.conftest import PATIENCE_S, Make, wait_until
from tests.small_comfyui import WORKFLOW, SmallComfyUI, picture_of, small_comfyui

SPEC = ModelSpec(key="flux", title="Flux", license="none", drawn_by=DrawnBy(engine="workshop", workflow="/flux.json"))
Open = Callable[..., Awaitable[EngineBackend]]


@pytest.fixture
def way() -> str:
    return "exec"


@pytest.fixture
async def comfyui() -> AsyncIterator[SmallComfyUI]:
    async with small_comfyui() as server:
        yield server


@pytest.fixture
async def open_engine(make: Make, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens the engine over servers; a real worker process finishes what they draw."""
    monkeypatch.setattr(backend_module, "_AWAY_S", 0.05)
    opened: list[EngineBackend] = []

    async def open_it(
        *servers: SmallComfyUI,
        each: int = 2,
        workflow: object = WORKFLOW,
        key: str | None = None,
        preview_interval_s: float = 0.0,
    ) -> EngineBackend:
        worker = make("good")
        await worker.start()
        await worker.wait_ready(30)
        found = [
            ComfyServer(server.url, key, {"flux": Workflow(json.dumps(workflow))}, look_s=0.1) for server in servers
        ]
        engine = EngineBackend(
            "workshop",
            found,
            specs=[SPEC],
            each=each,
            worker=worker,
            clean=clean,
            preview_interval_s=preview_interval_s,
        )
        opened.append(engine)
        await engine.start()
        return engine

    yield open_it
    for engine in opened:
        await engine.close()


def asking(request: GenerationRequest, prompt: str, **changes: int) -> GenerationRequest:
    return msgspec.structs.replace(request, prompt=prompt, model_key="flux", **changes)


async def end_of(events: AsyncIterator[JobEvent]) -> Finished | Failed:
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(event := await anext(events), Progress):
            pass
    return event


async def test_the_places_of_a_workflow_are_filled(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    engine = await open_engine(comfyui)
    ready = await engine.wait_ready(30)
    assert (ready.device_name, ready.models) == ("cuda:0 Small GPU", ("flux",))
    wanted = asking(request_, "a {seed} star", num_images=2)
    wanted = msgspec.structs.replace(wanted, negative_prompt="blurry", scheduler_name="DPM++ 2M Karras")
    await engine.submit(1, 1, wanted)
    finished = await end_of(engine.events())
    assert isinstance(finished, Finished)
    first, second = comfyui.prompts.values()
    assert first["6"]["inputs"]["text"] == "a {seed} star"  # a member's braces are words
    assert first["7"]["inputs"]["text"] == "blurry"
    assert first["3"]["inputs"]["seed"] == 7
    assert first["3"]["inputs"]["sampler_name"] == "dpmpp_2m"
    assert first["3"]["inputs"]["scheduler"] == "karras"
    assert first["3"]["inputs"]["steps"] == 4
    assert second["3"]["inputs"]["seed"] == 8
    assert [output.data for output in finished.outputs] == [await clean(picture_of(each)) for each in (first, second)]
    assert engine.free_slots == 2
    await wait_until(lambda: comfyui.history == {})  # members' words do not stay there


async def test_progress_counts_the_steps_of_all_images(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    engine = await open_engine(comfyui)
    await engine.wait_ready(30)
    await engine.submit(1, 1, asking(request_, "a star", num_images=2))
    steps = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in engine.events():
            if not isinstance(event, Progress):
                break
            steps.append((event.step, event.total_steps))
    assert steps == sorted(steps)
    assert {(0, 8), (4, 8), (8, 8)} <= {*steps}


async def test_previews_are_made_by_our_worker(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    engine = await open_engine(comfyui, preview_interval_s=60.0)
    await engine.wait_ready(30)
    await engine.submit(1, 1, asking(request_, "wait"))
    previews = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in engine.events():
            assert isinstance(event, Progress)
            if event.preview:
                previews.append(event.preview)
                break
    assert previews == [b"preview"]  # and not what the server sent
    await engine.cancel(1, 1)
    assert isinstance(await end_of(engine.events()), Failed)


@pytest.mark.parametrize(
    ("prompt", "reason", "words"),
    [
        ("fail", FailureReason.ENGINE_FAILED, "KSampler"),
        ("oom", FailureReason.OUT_OF_MEMORY, "out of memory"),
        ("nothing", FailureReason.ENGINE_FAILED, "SaveImage"),
        ("garbage", FailureReason.ENGINE_FAILED, "no picture"),
        ("crash", FailureReason.INTERNAL, "not finished"),
    ],
)
async def test_what_goes_wrong_there_fails_the_attempt_alone(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest, prompt: str, reason: str, words: str
) -> None:
    engine = await open_engine(comfyui)
    await engine.wait_ready(30)
    events = engine.events()
    await engine.submit(1, 1, asking(request_, prompt))
    failed = await end_of(events)
    assert isinstance(failed, Failed)
    assert failed.reason == reason
    assert words in failed.detail
    await engine.submit(2, 1, asking(request_, "a star"))
    assert isinstance(await end_of(events), Finished)


async def test_a_file_that_is_missing_there_is_told(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    other = {**WORKFLOW, "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "gone.safetensors"}}}
    engine = await open_engine(comfyui, workflow=other)
    await engine.wait_ready(30)
    await engine.submit(1, 1, asking(request_, "a star"))
    failed = await end_of(engine.events())
    assert isinstance(failed, Failed)
    assert failed.reason is FailureReason.MODEL_UNAVAILABLE
    assert "gone.safetensors" in failed.detail


async def test_a_missing_node_is_known_before_anything_is_drawn(open_engine: Open, comfyui: SmallComfyUI) -> None:
    engine = await open_engine(comfyui, workflow={**WORKFLOW, "1": {"class_type": "FancyNode", "inputs": {}}})
    ready = await engine.wait_ready(30)
    assert "FancyNode" in ready.missing["flux"]
    assert ready.models == ()
    assert "FancyNode" in engine.views[0].detail


async def test_cancelling_touches_no_prompt_of_others(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    engine = await open_engine(comfyui)
    await engine.wait_ready(30)
    events = engine.events()
    await engine.submit(1, 1, asking(request_, "wait"))
    await wait_until(lambda: len(comfyui.prompts) == 1)
    await engine.submit(2, 1, asking(request_, "wait"))
    await wait_until(lambda: len(comfyui.prompts) == 2)  # it waits behind the other
    await engine.cancel(2, 1)
    assert await end_of(events) == Failed(job_id=2, attempt=1, reason=FailureReason.CANCELLED)
    assert comfyui.interrupted == []
    await engine.cancel(1, 1)
    assert await end_of(events) == Failed(job_id=1, attempt=1, reason=FailureReason.CANCELLED)
    await wait_until(lambda: comfyui.interrupted == [next(iter(comfyui.prompts))])
    await engine.submit(3, 1, asking(request_, "a star"))
    await engine.cancel(3, 1)  # before its first step
    assert isinstance(await end_of(events), Failed)
    assert engine.free_slots == 2


async def test_two_servers_share_the_work_and_one_that_goes_away_gives_its_job_back(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    async with small_comfyui() as other:
        engine = await open_engine(comfyui, other, each=1)
        await wait_until(lambda: engine.free_slots == 2)
        events = engine.events()
        await engine.submit(1, 1, asking(request_, "wait"))
        await engine.submit(2, 1, asking(request_, "wait"))
        with pytest.raises(WorkerUnavailable):
            await engine.submit(3, 1, asking(request_, "a star"))
        await wait_until(lambda: bool(comfyui.prompts) and bool(other.prompts))
        await comfyui.stop()
        lost = await end_of(events)
        assert isinstance(lost, Failed)
        assert lost.reason is FailureReason.HOST_LOST
        assert [view.state for view in engine.views] == ["away", "drawing"]
        assert engine.free_slots == 0
        await comfyui.start()
        await wait_until(lambda: engine.free_slots == 1)
        await engine.submit(lost.job_id, 2, asking(request_, "a star"))
        assert isinstance(await end_of(events), Finished)


async def test_a_cut_socket_loses_no_picture(
    open_engine: Open, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    engine = await open_engine(comfyui)
    await engine.wait_ready(30)
    events = engine.events()
    await engine.submit(1, 1, asking(request_, "wait"))
    await wait_until(lambda: len(comfyui.prompts) == 1)
    await engine.submit(2, 1, asking(request_, "a star"))
    await wait_until(lambda: len(comfyui.prompts) == 2)
    await comfyui.cut()
    await engine.cancel(1, 1)
    ends = {(await end_of(events)).job_id: 1, (await end_of(events)).job_id: 2}
    assert ends.keys() == {1, 2}
    assert len(comfyui.prompts) == 2  # nothing was drawn twice


async def test_joined_with_our_worker_each_draws_its_own_models(
    open_engine: Open, make: Make, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    engine = await open_engine(comfyui)
    await engine.close()  # the joined backend starts its own
    worker = make("good")
    server = ComfyServer(comfyui.url, None, {"flux": Workflow(json.dumps(WORKFLOW))}, look_s=0.1)
    engine = EngineBackend("workshop", [server], specs=[SPEC], each=1, worker=worker, clean=clean)
    joined = JoinedBackend(worker, {"flux": engine}, ["pocket"])
    changes: list[int] = []
    joined.on_ready(lambda: changes.append(1))
    await joined.start()
    try:
        await joined.wait_ready(30)
        await wait_until(lambda: {*joined.open_models} == {"pocket", "flux"})
        assert joined.status.ready is not None
        assert joined.status.ready.models == ("pocket", "flux")
        assert joined.free_slots == 3
        assert {*joined.offered_models} == {"pocket", "flux"}
        events = joined.events()
        await joined.submit(1, 1, request_)
        await joined.submit(2, 1, asking(request_, "a star"))
        ends = [await end_of(events), await end_of(events)]
        assert {end.job_id for end in ends if isinstance(end, Finished)} == {1, 2}
        assert len(comfyui.prompts) == 1
        await comfyui.stop()
        before = len(changes)
        await wait_until(lambda: {*joined.open_models} == {"pocket"})
        ready = joined.status.ready
        assert ready is not None
        assert "cannot be reached" in ready.missing["flux"]
        assert {*joined.offered_models} == {"pocket"}  # who waits for the other is told
        assert len(changes) > before  # who offers models hears of it
        with pytest.raises(WorkerUnavailable):
            await joined.submit(3, 1, asking(request_, "a star"))
    finally:
        await joined.close()


async def test_nothing_is_drawn_there_while_no_worker_of_ours_could_finish_it(
    make: Make, comfyui: SmallComfyUI, request_: GenerationRequest
) -> None:
    worker = make("never_ready")
    server = ComfyServer(comfyui.url, None, {"flux": Workflow(json.dumps(WORKFLOW))}, look_s=0.1)
    engine = EngineBackend("workshop", [server], specs=[SPEC], each=1, worker=worker, clean=clean)
    joined = JoinedBackend(worker, {"flux": engine}, ["pocket"])
    await joined.start()
    try:
        await wait_until(lambda: engine.free_slots == 1)
        assert joined.free_slots == 0
        assert joined.open_models == frozenset()
        with pytest.raises(WorkerUnavailable):
            await joined.submit(1, 1, asking(request_, "a star"))
        assert comfyui.prompts == {}
    finally:
        await joined.close()


async def test_a_key_is_sent_and_a_wrong_one_told(open_engine: Open, request_: GenerationRequest) -> None:
    async with small_comfyui("secret") as server:
        engine = await open_engine(server, key="wrong")
        await wait_until(lambda: "401" in engine.status.detail)
        assert "secret" not in engine.status.detail
        engine = await open_engine(server, key="secret")
        await engine.wait_ready(30)
        await engine.submit(1, 1, asking(request_, "a star"))
        assert isinstance(await end_of(engine.events()), Finished)
