"""Several models on one device: which are kept, which make room, and that pictures never hang on it."""

from pathlib import Path
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
from pipeline.engine.models import cache, memory
from pipeline.engine.models.cache import ModelCache
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.memory import AUTO_SHARE, budget_bytes, computer_bytes, offload, restore, size_of
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.steps import admission
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, HubSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.settings import EngineOptions, IdleModels
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion

PLACEMENT = choose_placement("cpu", "float32")
KEYS = ("one", "two", "three")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelSpec]:
    """Three of one size under names of their own."""
    folder = tmp_path_factory.mktemp("models")
    stable_diffusion().save_pretrained(folder)
    spec = catalogue_of(folder, "sd").default
    return {key: msgspec.structs.replace(spec, key=key) for key in KEYS}


@pytest.fixture(scope="module")
def size(models: dict[str, ModelSpec]) -> int:
    return size_of(load_model(models["one"], PLACEMENT, None, lambda: None).modules)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys in the order in which files were read."""
    read: list[str] = []

    def counted(spec: ModelSpec, *rest: Any) -> Any:
        read.append(spec.key)
        return load_model(spec, *rest)

    monkeypatch.setattr(cache, "load_model", counted)
    return read


def with_room_for(models: dict[str, ModelSpec], budget: int, idle_models: IdleModels = "keep") -> ModelCache:
    made = ModelCache(models, PLACEMENT, EngineOptions(idle_models=idle_models), Activity())
    made._budget = budget
    return made


def ready(of: ModelCache) -> list[str]:
    return [key for key in KEYS if of.has(key)]


def test_the_least_recently_used_makes_room(models: dict[str, ModelSpec], size: int, loads: list[str]) -> None:
    kept = with_room_for(models, 2 * size)
    first = kept.take("one")
    kept.take("two")
    assert kept.take("one") is first
    assert loads == ["one", "two"]
    kept.take("three")
    assert ready(kept) == ["one", "three"]
    kept.take("two")
    assert ready(kept) == ["two", "three"]
    assert loads == ["one", "two", "three", "two"]


def test_a_model_in_use_is_never_moved(models: dict[str, ModelSpec], size: int) -> None:
    kept = with_room_for(models, 2 * size)
    for key in ("one", "two"):
        kept.take(key)
    assert kept.may_load(["three"], {"one"})
    assert not kept.may_load(["three"], {"one", "two"})
    assert kept.may_load(["two"], {"one"})
    assert kept.may_load(["unknown"], {"one", "two"})
    kept.take("three", {"one"})
    assert ready(kept) == ["one", "three"]
    narrow = with_room_for(models, size - 1)
    assert narrow.may_load(["one"], ())
    narrow.take("one")
    assert not narrow.may_load(["two"], {"one"})
    narrow.take("two")
    assert ready(narrow) == ["two"]


def test_drop_keeps_nothing_but_what_is_in_use(models: dict[str, ModelSpec], size: int) -> None:
    dropping = with_room_for(models, 10 * size, "drop")
    for key in ("one", "two"):
        dropping.take(key, {"one"})
    assert ready(dropping) == ["one", "two"]
    dropping.take("three")
    assert ready(dropping) == ["three"]


def test_offload_is_keep_where_device_and_computer_share_memory(
    models: dict[str, ModelSpec], size: int, loads: list[str]
) -> None:
    offloading = with_room_for(models, size, "offload")
    for key in ("one", "two", "one"):
        offloading.take(key)
    assert loads == ["one", "two", "one"]


def test_an_offloaded_model_comes_back_without_its_files(
    models: dict[str, ModelSpec], size: int, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "has_own_memory", lambda device: device == PLACEMENT.device)
    offloading = with_room_for(models, size, "offload")
    first = offloading.take("one")
    offloading.take("two")
    assert ready(offloading) == ["two"]
    assert offloading.take("one") is first
    assert ready(offloading) == ["one"]
    assert loads == ["one", "two"]


def test_what_rests_is_bounded_too(
    models: dict[str, ModelSpec], size: int, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "has_own_memory", lambda device: device == PLACEMENT.device)
    monkeypatch.setattr(cache, "computer_bytes", lambda: 1.5 * size / AUTO_SHARE)
    offloading = with_room_for(models, size, "offload")
    for key in KEYS:
        offloading.take(key)
    assert list(offloading._offloaded) == ["two"]
    offloading.take("two")
    offloading.take("one")
    assert loads == ["one", "two", "three", "one"]


def test_resting_moves_every_tensor_once_and_changes_no_bit(
    models: dict[str, ModelSpec], request_: GenerationRequest
) -> None:
    model = load_model(models["one"], PLACEMENT, None, lambda: None)
    tied = torch.nn.Linear(3, 3)
    tied.weight = next(iter(model.modules[0].parameters()))
    # Kept, so that no other tensor is given the memory of one that moved.
    before = [part.data for part in model.modules[0].parameters()]

    def draw() -> torch.Tensor:
        text = model.adapter.encode_text(request_).positive.at(1)
        return model.adapter.decode(model.adapter.predict(torch.ones(1, 4, 8, 8), torch.tensor([7.0]), text))

    expected = draw()
    offload((*model.modules, tied))
    assert not {part.data_ptr() for part in model.modules[0].parameters()} & {part.data_ptr() for part in before}
    restore((*model.modules, tied), PLACEMENT.device)
    assert tied.weight is next(iter(model.modules[0].parameters()))
    assert draw().equal(expected)


def test_everything_with_weights_is_measured(catalogue: Catalogue) -> None:
    """The shipped model has an enlarger, and a VAE that is small enough to draw previews."""
    model = load_model(catalogue.default, PLACEMENT, None, lambda: None)
    parts = {type(part).__name__ for part in model.modules}
    assert parts >= {"UNet2DConditionModel", "CLIPTextModel", "AutoencoderTiny", "SRVGGNetCompact"}, parts


@pytest.mark.parametrize(("dtype", "part"), [("float32", 1.0), ("bfloat16", 0.5), ("float64", 2.0)])
def test_a_size_is_foreseen_from_the_files(models: dict[str, ModelSpec], size: int, dtype: Any, part: float) -> None:
    foreseen = expected_bytes(models["one"], choose_placement("cpu", dtype), None)
    # Position numbers are a buffer that no file has.
    assert foreseen == pytest.approx(size * part, rel=0.01)


def test_one_variant_of_several_counts(models: dict[str, ModelSpec], tmp_path: Path) -> None:
    source = models["one"].source
    assert isinstance(source, FolderSource)
    before = expected_bytes(models["one"], PLACEMENT, None)
    weights = Path(source.path) / "unet" / "diffusion_pytorch_model.safetensors"
    twin = weights.with_suffix(".fp16.safetensors")
    twin.write_bytes(weights.read_bytes())
    try:
        assert expected_bytes(models["one"], PLACEMENT, None) == before
    finally:
        twin.unlink()
    single = msgspec.structs.replace(models["one"], source=FileSource(path=str(weights)))
    alone = expected_bytes(single, PLACEMENT, None)
    assert alone is not None
    assert before is not None
    assert 0 < alone < before
    on_hub = msgspec.structs.replace(models["one"], source=HubSource(repo_id="a/b", revision="main"))
    assert expected_bytes(on_hub, PLACEMENT, str(tmp_path)) is None


def test_the_budget_is_a_part_of_the_memory_or_as_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert budget_bytes(PLACEMENT, 3) == 3 * 2**20
    card = msgspec.structs.replace(PLACEMENT, vram_bytes=1_000)
    assert budget_bytes(card, 0) == 700
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_LIMITS", (limit,))
    computer = computer_bytes()
    assert budget_bytes(PLACEMENT, 0) == int(0.7 * computer)
    limit.write_text("max\n")
    assert computer_bytes() == computer
    limit.write_text("5000\n")
    assert computer_bytes() == 5000


class Shared:
    """An engine with several models."""

    def __init__(self, models: dict[str, ModelSpec], budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[JobEvent] = []
        self.latents: dict[int, torch.Tensor] = {}
        self.engine = Engine(
            models=models,
            placement=PLACEMENT,
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(max_running=8),
        )
        self.engine._cache._budget = budget
        latents = self.latents

        class Recorder(Finisher):
            def __init__(self, job: Any, *rest: Any) -> None:
                latents[job.name[0]] = job.latents.clone()
                super().__init__(job, *rest)

        monkeypatch.setattr(finishing, "Finisher", Recorder)

    def submit(self, job_id: int, model_key: str, like: GenerationRequest, steps: int) -> None:
        request = msgspec.structs.replace(
            like, model_key=model_key, num_inference_steps=steps, scheduler_name="Euler", seed=7
        )
        self.engine.submit(Submit(job_id=job_id, attempt=1, request=request))

    def order(self, kind: type[Any]) -> list[int]:
        return [event.job_id for event in self.events if isinstance(event, kind)]


def test_two_models_draw_at_once_and_the_same_as_alone(
    models: dict[str, ModelSpec], size: int, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Shared(models, 2 * size, monkeypatch)
    for job_id, model_key in ((0, "one"), (1, "two")):
        shared.submit(job_id, model_key, request_, 4)
        shared.engine.run_until_idle()
    shared.events.clear()
    for job_id, model_key in ((2, "one"), (3, "two")):
        shared.submit(job_id, model_key, request_, 4)
    shared.engine.run_until_idle()
    assert not shared.order(Failed)
    steps = [event.job_id for event in shared.events if isinstance(event, Progress) and 0 < event.step < 4]
    assert steps != sorted(steps), "one ran after the other"
    assert shared.latents[2].equal(shared.latents[0])
    assert shared.latents[3].equal(shared.latents[1])


@pytest.mark.parametrize(("patience_s", "expected"), [(1e9, [1, 3, 2]), (0.0, [1, 2, 3])])
def test_a_job_whose_model_has_no_room_lets_others_pass_for_a_while(
    models: dict[str, ModelSpec],
    size: int,
    request_: GenerationRequest,
    monkeypatch: pytest.MonkeyPatch,
    patience_s: float,
    expected: list[int],
) -> None:
    monkeypatch.setattr(admission, "SWITCH_PATIENCE_S", patience_s)
    shared = Shared(models, size, monkeypatch)
    shared.submit(1, "one", request_, 4)
    shared.engine.tick()
    shared.submit(2, "two", request_, 2)
    shared.submit(3, "one", request_, 8)
    shared.engine.run_until_idle()
    assert not shared.order(Failed)
    assert shared.order(Finished) == expected
    loading = [event.job_id for event in shared.events if isinstance(event, Progress) and event.phase == "loading"]
    assert loading[:2] == [1, 2]
