"""Image services, over real HTTP to a small server of OpenAI's interface, with OpenAI's own client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from bot.pictures.drawn import clean
from pipeline.backends.engines import backend as backend_module
from pipeline.backends.engines.backend import EngineBackend
from pipeline.backends.engines.services import ServiceServer
from pipeline.protocol.catalogue.engines import DrawnBy
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Progress
from tests.pipeline.backends.conftest import PATIENCE_S, Make, wait_until
from tests.small_openai import SmallOpenAI, small_openai

PAID = DrawnBy(engine="service", model="gpt-image-2", price=0.04)
Open = Callable[..., Awaitable[EngineBackend]]


@pytest.fixture
def way() -> str:
    return "exec"


@pytest.fixture
async def service() -> AsyncIterator[SmallOpenAI]:
    async with small_openai() as server:
        yield server


@pytest.fixture
async def open_engine(make: Make, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens the engine over a service; a real worker process finishes what it draws."""
    monkeypatch.setattr(backend_module, "_AWAY_S", 0.05)
    opened: list[EngineBackend] = []

    async def open_it(server: SmallOpenAI, drawn_by: DrawnBy = PAID, key: str | None = None) -> EngineBackend:
        worker = make("good")
        await worker.start()
        await worker.wait_ready(30)
        spec = ModelSpec(key="gpt", title="GPT Image", license="none", drawn_by=drawn_by)
        found = ServiceServer(server.url, key, {"gpt": drawn_by}, look_s=0.1)
        engine = EngineBackend("service", [found], specs=[spec], each=2, worker=worker, clean=clean)
        opened.append(engine)
        await engine.start()
        await wait_until(lambda: engine.free_slots > 0 or "key" in engine.status.detail)
        return engine

    yield open_it
    for engine in opened:
        await engine.close()


def asking(request: GenerationRequest, prompt: str, **changes: int) -> GenerationRequest:
    return msgspec.structs.replace(request, prompt=prompt, model_key="gpt", **changes)


async def end_of(engine: EngineBackend) -> Finished | Failed:
    async with asyncio.timeout(PATIENCE_S):
        events: AsyncIterator[JobEvent] = engine.events()
        while isinstance(event := await anext(events), Progress):
            pass
    return event


async def test_only_what_the_server_takes_is_sent(
    open_engine: Open, service: SmallOpenAI, request_: GenerationRequest
) -> None:
    engine = await open_engine(service)
    await engine.submit(1, 1, asking(request_, "a star", num_images=2))
    finished = await end_of(engine)
    assert isinstance(finished, Finished)
    assert len(finished.outputs) == 2
    assert service.requests == 2 * [{"model": "gpt-image-2", "prompt": "a star", "n": 1, "size": "64x64"}]
    more = await open_engine(service, msgspec.structs.replace(PAID, takes=("seed", "steps", "cfg", "negative")))
    await more.submit(1, 1, asking(request_, "a star"))
    assert isinstance(await end_of(more), Finished)
    sent = service.requests[-1]
    assert (sent["seed"], sent["num_inference_steps"], sent["guidance_scale"]) == (7, 4, 5.0)
    assert sent["negative_prompt"] == ""


async def test_unfinished_pictures_are_progress(
    open_engine: Open, service: SmallOpenAI, request_: GenerationRequest
) -> None:
    engine = await open_engine(service, msgspec.structs.replace(PAID, previews=3))
    await engine.submit(1, 1, asking(request_, "a star"))
    steps = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in engine.events():
            if isinstance(event, Finished):
                break
            assert isinstance(event, Progress)
            steps.append(event.step)
    assert steps == [0, 1, 2, 3]
    assert service.billed == 1


async def test_a_picture_may_come_by_its_address(
    open_engine: Open, service: SmallOpenAI, request_: GenerationRequest
) -> None:
    engine = await open_engine(service)
    await engine.submit(1, 1, asking(request_, "by address"))
    assert isinstance(await end_of(engine), Finished)


@pytest.mark.parametrize(
    ("prompt", "price", "reason"),
    [
        ("refused", 0.04, FailureReason.REFUSED_ELSEWHERE),
        ("odd", 0.04, FailureReason.ENGINE_FAILED),
        ("error", 0.04, FailureReason.ENGINE_FAILED),
        ("garbage", 0.04, FailureReason.ENGINE_FAILED),
        ("cut", 0.04, FailureReason.MAYBE_BILLED),
        ("cut", 0.0, FailureReason.HOST_LOST),
        ("busy", 0.04, FailureReason.HOST_LOST),
        ("unpaid", 0.04, FailureReason.HOST_LOST),
    ],
)
async def test_nothing_that_may_be_billed_is_asked_for_twice(
    open_engine: Open, service: SmallOpenAI, request_: GenerationRequest, prompt: str, price: float, reason: str
) -> None:
    engine = await open_engine(service, msgspec.structs.replace(PAID, price=price))
    await engine.submit(1, 1, asking(request_, prompt))
    failed = await end_of(engine)
    assert isinstance(failed, Failed)
    assert failed.reason == reason
    assert len(service.requests) == 1


async def test_a_service_that_is_lost_after_the_first_image_is_not_asked_again(
    open_engine: Open, service: SmallOpenAI, request_: GenerationRequest
) -> None:
    engine = await open_engine(service)
    await engine.submit(1, 1, asking(request_, "stop after one", num_images=2))
    failed = await end_of(engine)
    assert isinstance(failed, Failed)
    assert failed.reason is FailureReason.MAYBE_BILLED
    assert service.billed == 1


async def test_cancelling_closes_the_connection(
    open_engine: Open, service: SmallOpenAI, request_: GenerationRequest
) -> None:
    engine = await open_engine(service)
    await engine.submit(1, 1, asking(request_, "wait"))
    await wait_until(lambda: service.billed == 1)
    await engine.cancel(1, 1)
    assert await end_of(engine) == Failed(job_id=1, attempt=1, reason=FailureReason.CANCELLED)
    async with asyncio.timeout(PATIENCE_S):
        await service.gone.wait()


async def test_a_busy_service_rests(open_engine: Open, service: SmallOpenAI, request_: GenerationRequest) -> None:
    engine = await open_engine(service)
    await engine.submit(1, 1, asking(request_, "busy"))
    assert isinstance(await end_of(engine), Failed)
    assert "too much to do" in engine.status.detail
    asked = service.looks
    await asyncio.sleep(0.5)  # several looks, if it did not rest
    assert service.looks <= asked + 1
    assert engine.free_slots == 0


async def test_a_wrong_key_is_told_and_not_shown(open_engine: Open) -> None:
    async with small_openai("open-sesame") as server:
        engine = await open_engine(server, key="wrong-key")
        assert "does not accept the key" in engine.status.detail
        assert "wrong-key" not in engine.status.detail
        assert (await open_engine(server, key="open-sesame")).free_slots == 2
