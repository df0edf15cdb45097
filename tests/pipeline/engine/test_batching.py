"""Many jobs in one running batch: each has the picture that it has alone, bit by bit, and its own fate."""

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
import torch

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.finishing import finishing
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.networks import CacheEntry
from pipeline.engine.steps.batching import forwards
from pipeline.engine.steps.batching.buckets import Bucket, weight_of
from pipeline.engine.steps.batching.shapes import ROW_COUNTS, Shapes
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Upscale
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.settings import Acceleration, EngineOptions
from tests.pipeline.engine.loaded import model_in

SAMPLERS = ("Euler", "Euler a", "DPM++ 2M Karras", "Heun", "DDIM", "DPM++ SDE")
WORDS = (
    "a red apple",
    "a cat AND a house :-0.5",
    "two green leaves, (night:1.3)",
    "a [dog:cat:0.5]",
    "a house",
    "snow " * 90,
)


class Shared:
    """An engine in float32 with room for several jobs, and the final latents of each."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        others: Mapping[str, CacheEntry] = MappingProxyType({}),
        state_directory: str | None = None,
        loras: LoraFolder | None = None,
        acceleration: Acceleration | None = None,
    ) -> None:
        self.events: list[JobEvent] = []
        self.latents: dict[int, torch.Tensor] = {}
        self.forwards: list[int] = []
        self.engine = Engine(
            models={**catalogue.models, **others},
            placement=choose_placement("cpu", "float32", acceleration),
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(max_running=8, state_directory=state_directory),
            loras=loras,
        )
        self.engine.preload(catalogue.default_key)

    def submit(self, job_id: int, request: GenerationRequest) -> None:
        self.engine.submit(Submit(job_id=job_id, attempt=1, request=request))

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Forget what was, and take down what comes."""
        latents, counts = self.latents, self.forwards

        class Recorder(Finisher):
            def __init__(self, job: Any, *rest: Any) -> None:
                latents[job.name[0]] = job.latents.clone()
                super().__init__(job, *rest)

        def counted(adapter: Any, rows: Any, count: int, *rest: Any) -> list[torch.Tensor]:
            counts.append(count)
            return predict_rows(adapter, rows, count, *rest)

        monkeypatch.setattr(finishing, "Finisher", Recorder)
        monkeypatch.setattr(forwards, "predict_rows", counted)
        self.events.clear()
        self.latents.clear()
        self.forwards.clear()

    def of(self, kind: type[Any], job_id: int) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.job_id == job_id]


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue) -> Shared:
    return Shared(module_catalogue)


@pytest.fixture
def shared(loaded: Shared, monkeypatch: pytest.MonkeyPatch) -> Shared:
    loaded.watch(monkeypatch)
    return loaded


def requests(like: GenerationRequest, count: int, dice: random.Random) -> list[GenerationRequest]:
    return [
        msgspec.structs.replace(
            like,
            prompt=dice.choice(WORDS),
            negative_prompt=dice.choice(("", "blue")),
            num_inference_steps=dice.randint(2, 6),
            guidance_scale=dice.choice((1.0, 5.0, 9.5)),
            guidance_end=dice.choice((0.5, 1.0)),
            scheduler_name=dice.choice(SAMPLERS),
            width=dice.choice((64, 64, 96)),
            num_images=dice.choice((1, 1, 2, 3)),
            seed=dice.randint(0, 2**32 - 1),
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def tiny_loaded(small_catalogue: Catalogue) -> Shared:
    return Shared(small_catalogue)


@pytest.mark.parametrize(("seed", "name"), [(1, "loaded"), (2, "tiny_loaded")])
def test_mates_change_no_bit(
    request: pytest.FixtureRequest,
    request_: GenerationRequest,
    seed: int,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared: Shared = request.getfixturevalue(name)
    shared.watch(monkeypatch)
    dice = random.Random(seed)
    wanted = requests(request_, 9, dice)
    for job_id, each in enumerate(wanted):
        shared.submit(job_id, each)
        shared.engine.run_until_idle()
    alone, alone_forwards = shared.latents.copy(), len(shared.forwards)
    shared.latents.clear()
    shared.forwards.clear()
    order = [*enumerate(wanted)]
    dice.shuffle(order)
    while order or not shared.engine.is_idle:
        for job_id, each in [order.pop() for _ in range(min(len(order), dice.randint(0, 3)))]:
            shared.submit(job_id, each)
        shared.engine.tick()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    assert set(shared.latents) == set(alone)
    for job_id, latents in alone.items():
        assert shared.latents[job_id].equal(latents), wanted[job_id]
    assert len(shared.forwards) < 0.75 * alone_forwards, "they shared no forward"


def test_a_short_job_does_not_wait_for_a_long_one(shared: Shared, request_: GenerationRequest) -> None:
    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=60))
    for _ in range(5):
        shared.engine.tick()
    shared.submit(2, msgspec.structs.replace(request_, num_inference_steps=4, scheduler_name="Euler a"))
    while not shared.of(Finished, 2):
        shared.engine.tick()
    assert shared.of(Progress, 1)[-1].step < 30
    shared.engine.cancel(Cancel(job_id=1, attempt=1))
    shared.engine.run_until_idle()
    assert shared.of(Failed, 1)[0].reason is FailureReason.CANCELLED


def test_sizes_share_the_device_by_what_they_cost(shared: Shared, request_: GenerationRequest) -> None:
    """While a large picture draws one step, small ones draw as many as that step costs; neither starves."""
    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=60))
    shared.submit(2, msgspec.structs.replace(request_, num_inference_steps=60, width=128, height=128))
    shared.engine.tick()
    buckets = [lane for lane in shared.engine._lanes._turns._round if isinstance(lane, Bucket)]
    small, large = sorted(buckets, key=lambda bucket: bucket.take()[0].rows[0].latents.numel())
    small.shapes, large.shapes = Shapes({2: 1.0}), Shapes({2: 4.0})
    for _ in range(40):
        shared.engine.tick()
    steps = [shared.of(Progress, job_id)[-1].step for job_id in (1, 2)]
    assert 3 <= steps[0] / steps[1] <= 5
    for job_id in (1, 2):
        shared.engine.cancel(Cancel(job_id=job_id, attempt=1))
    shared.engine.run_until_idle()


def test_a_job_of_many_rows_takes_turns_in_small_forwards(shared: Shared, request_: GenerationRequest) -> None:
    wanted = msgspec.structs.replace(request_, num_images=4)
    shared.submit(1, wanted)
    shared.engine.run_until_idle()
    together = shared.latents[1]
    shared.forwards.clear()
    shared.submit(2, wanted)
    shared.submit(3, msgspec.structs.replace(request_, num_inference_steps=8))
    shared.engine.tick()
    (bucket,) = shared.engine._lanes._turns._round
    assert isinstance(bucket, Bucket)
    bucket.shapes = Shapes({2: 0.1})
    shared.engine.run_until_idle()
    assert set(shared.forwards[1:]) == {2}
    assert shared.latents[2].equal(together)


def test_a_poisoned_batch_blames_the_guilty_alone(
    shared: Shared, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = model_in(shared.engine).adapter
    predict = adapter.predict

    def poisoned(latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Any, *more: Any) -> torch.Tensor:
        if (timesteps == 999.0).any() and (latents.shape[2:] == (16, 16)):
            raise ValueError("a wrong number of features")
        return predict(latents, timesteps, conditioning, *more)

    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=12))
    shared.engine.tick()
    shared.engine.tick()
    monkeypatch.setattr(adapter, "predict", poisoned)
    shared.submit(2, request_)
    shared.engine.run_until_idle()
    assert shared.of(Failed, 2)[0].reason is FailureReason.INTERNAL
    assert shared.of(Finished, 1)
    assert not shared.of(Failed, 1)


def test_a_full_device_gets_smaller_forwards_and_the_same_pictures(
    shared: Shared, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.submit(1, request_)
    shared.engine.run_until_idle()
    first = shared.latents[1]
    adapter = model_in(shared.engine).adapter
    predict = adapter.predict

    def small(latents: torch.Tensor, *given: Any) -> torch.Tensor:
        if len(latents) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return predict(latents, *given)

    monkeypatch.setattr(adapter, "predict", small)
    shared.forwards.clear()
    for job_id in range(2, 7):
        shared.submit(job_id, request_)
    shared.engine.run_until_idle()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    assert shared.latents[6].equal(first)
    refused = [count for count in shared.forwards if count > 4]
    assert len(refused) <= 2, "it is tried once a size"


def test_a_picture_is_enlarged_beside_the_steps_of_others(shared: Shared, request_: GenerationRequest) -> None:
    upscaled = msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.5))
    shared.submit(1, upscaled)
    shared.engine.run_until_idle()
    alone = shared.latents[1]
    shared.submit(2, upscaled)
    shared.submit(3, msgspec.structs.replace(request_, num_inference_steps=30))
    shared.engine.run_until_idle()
    assert shared.latents[2].equal(alone)
    assert {type(event) for event in shared.events} == {Progress, Finished}


def test_one_that_is_being_enlarged_can_be_cancelled(shared: Shared, request_: GenerationRequest) -> None:
    shared.submit(1, msgspec.structs.replace(request_, upscale=Upscale(scale=2, strength=0.5)))
    while shared.engine._lanes or not shared.engine._running:
        shared.engine.tick()
    shared.engine.cancel(Cancel(job_id=1, attempt=1))
    shared.engine.run_until_idle()
    assert shared.of(Failed, 1)[0].reason is FailureReason.CANCELLED
    assert not shared.of(Finished, 1)


def test_every_shape_in_use_gives_a_row_the_same_bits(shared: Shared) -> None:
    adapter = model_in(shared.engine).adapter
    generator = torch.Generator().manual_seed(3)
    rows = [
        Row(
            latents=torch.randn(1, 4, 16, 16, generator=generator),
            timestep=torch.rand((), generator=generator) * 999,
            conditioning={"prompt_embeds": torch.randn(1, 77, 192, generator=generator)},
        )
        for _ in range(max(ROW_COUNTS))
    ]
    first = predict_rows(adapter, rows[:1], 2)[0]
    assert predict_rows(adapter, [rows[5], rows[0]], 2)[1].equal(first)
    for count in (4, 8):
        mates = [*rows[1:count], rows[0]]
        assert predict_rows(adapter, mates, count)[-1].equal(first)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [({2: 1.0, 16: 1.0}, 1.0), ({2: 1.0, 16: 8.0}, 8.0), ({2: 1.0, 16: 3.0}, 3.0), ({2: 1.0}, 8.0)],
)
def test_eight_jobs_count_for_what_sharing_does_not_save(seconds: dict[int, float], expected: float) -> None:
    assert weight_of(Shapes(seconds), jobs=8, rows=16) == expected


def test_whoever_has_just_asked_has_the_next_forward(shared: Shared, request_: GenerationRequest) -> None:
    for job_id in range(1, 6):
        shared.submit(job_id, msgspec.structs.replace(request_, num_inference_steps=60, num_images=3))
    for _ in range(3):
        shared.engine.tick()
    shared.submit(6, request_)
    shared.engine.tick()
    assert shared.of(Progress, 6)[-1].step == 1
    for job_id in range(1, 6):
        shared.engine.cancel(Cancel(job_id=job_id, attempt=1))
    shared.engine.run_until_idle()


def test_a_job_of_many_rows_leaves_a_lone_one_its_time(shared: Shared, request_: GenerationRequest) -> None:
    """Beside a job of many images, a single picture has a row in every forward, and none is twice its own."""
    shared.submit(1, msgspec.structs.replace(request_, num_images=4, num_inference_steps=30))
    for _ in range(3):
        shared.engine.tick()
    shared.submit(2, msgspec.structs.replace(request_, num_inference_steps=5))
    shared.engine.tick()
    (bucket,) = shared.engine._lanes._turns._round
    assert isinstance(bucket, Bucket)
    bucket.shapes = Shapes({2: 1.0, 4: 1.9, 8: 3.7, 16: 7.0})
    seen = shared.of(Progress, 2)[-1].step
    shared.forwards.clear()
    while not shared.of(Finished, 2):
        shared.engine.tick()
    assert shared.forwards[: 5 - seen] == [4] * (5 - seen), "each forward has both rows of the lone one, and two others"
    assert shared.of(Progress, 1)[-1].step < 10
    shared.engine.cancel(Cancel(job_id=1, attempt=1))
    shared.engine.run_until_idle()
