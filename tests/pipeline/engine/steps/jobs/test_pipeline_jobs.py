"""A model that only its own diffusers pipeline can draw with, in the engine, beside other people's jobs."""

import io
import itertools
import json
import shutil
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.pixart_alpha.pipeline_pixart_sigma import PixArtSigmaPipeline
from PIL import Image

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.finishing import finishing
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.sampling.latents import generators_for
from pipeline.engine.steps.batching.shapes import Shapes
from pipeline.images.encode import to_picture
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.settings import EngineOptions
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.tiny import catalogue_of, pixart_sigma

PLACEMENT = choose_placement("cpu", "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pixart")
    pixart_sigma().save_pretrained(path)
    return path


class Shared:
    """An engine with the shipped model and a whole pipeline."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self.events: list[JobEvent] = []
        self.latents: dict[int, torch.Tensor] = {}
        tiny = catalogue_of(folder, "pipeline", "Model's own").default
        self.engine = Engine(
            models=MappingProxyType({**catalogue.models, "tiny": tiny}),
            placement=PLACEMENT,
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(preview_interval_s=1e-9, max_running=8),
        )
        for key in ("pocket", "tiny"):
            self.engine.preload(key)

    def submit(self, job_id: int, request: GenerationRequest) -> None:
        self.engine.submit(Submit(job_id=job_id, attempt=1, request=request))

    def of(self, kind: type[Any], job_id: int) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.job_id == job_id]


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue, folder: Path) -> Shared:
    return Shared(module_catalogue, folder)


@pytest.fixture
def shared(loaded: Shared, monkeypatch: pytest.MonkeyPatch) -> Shared:
    class Recorder(Finisher):
        def __init__(self, job: Any, *rest: Any) -> None:
            if hasattr(job, "latents"):
                loaded.latents[job.name[0]] = job.latents.clone()
            super().__init__(job, *rest)

    monkeypatch.setattr(finishing, "Finisher", Recorder)
    loaded.events.clear()
    loaded.latents.clear()
    return loaded


@pytest.fixture
def whole_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(
        request_, model_key="tiny", scheduler_name="Model's own", width=96, num_images=2, num_inference_steps=6
    )


def _pictures(finished: Finished) -> list[Any]:
    return [np.asarray(Image.open(io.BytesIO(image.data)).convert("RGB")) for image in finished.outputs]


@pytest.mark.usefixtures("every_preview_is_in_time")
def test_it_takes_turns_and_nobody_changes_a_bit(
    shared: Shared, request_: GenerationRequest, whole_request: GenerationRequest, folder: Path
) -> None:
    mate = msgspec.structs.replace(request_, num_inference_steps=6)
    shared.submit(1, mate)
    shared.engine.run_until_idle()
    shared.events.clear()
    shared.submit(2, whole_request)
    shared.submit(3, mate)
    shared.engine.run_until_idle()
    assert not [event for event in shared.events if isinstance(event, Failed)]
    assert shared.latents[3].equal(shared.latents[1])
    reference: Any = PixArtSigmaPipeline.from_pretrained(folder)
    expected = reference(
        prompt=whole_request.prompt,
        num_inference_steps=6,
        guidance_scale=whole_request.guidance_scale,
        height=64,
        width=96,
        num_images_per_prompt=2,
        generator=generators_for(whole_request),
        output_type="pt",
        use_resolution_binning=False,
    ).images
    (finished,) = shared.of(Finished, 2)
    for drawn, pixels in zip(_pictures(finished), expected, strict=True):
        assert np.array_equal(drawn, np.asarray(to_picture(pixels)))
    steps = [event.job_id for event in shared.events if isinstance(event, Progress) and not event.preview]
    switches = sum(one != other for one, other in itertools.pairwise(steps))
    assert switches >= 3, "one ran after the other"
    assert [event.step for event in shared.of(Progress, 2) if not event.preview] == [0, 1, 2, 3, 4, 5, 6]
    assert any(event.preview for event in shared.of(Progress, 2)), "no preview"


def test_it_shares_the_device_by_what_it_costs(
    shared: Shared, request_: GenerationRequest, whole_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that takes four forwards' time comes once in four forwards."""
    monkeypatch.setattr("pipeline.engine.steps.batching.solo_lane.SoloLane.cost_s", 4.0)
    monkeypatch.setattr("pipeline.engine.steps.batching.buckets.Bucket.shapes", Shapes({2: 1.0}), raising=False)
    monkeypatch.setattr("pipeline.engine.steps.batching.buckets.Bucket.cost_s", 1.0)
    shared.submit(1, msgspec.structs.replace(request_, num_inference_steps=60))
    shared.submit(2, msgspec.structs.replace(whole_request, num_inference_steps=60))
    for _ in range(40):
        shared.engine.tick()
    steps = [max(event.step for event in shared.of(Progress, job_id)) for job_id in (1, 2)]
    assert 3 <= steps[0] / steps[1] <= 5
    for job_id in (1, 2):
        shared.engine.cancel(Cancel(job_id=job_id, attempt=1))
    shared.engine.run_until_idle()


def test_one_at_a_time_and_nobody_else_waits_for_the_second(
    shared: Shared, request_: GenerationRequest, whole_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.engine.steps.admission.SWITCH_PATIENCE_S", 0.0)
    for job_id in (1, 2):
        shared.submit(job_id, whole_request)
    shared.submit(3, msgspec.structs.replace(request_, num_inference_steps=1))
    shared.engine.tick()
    assert [name for name, _ in shared.engine._running] in ([1, 3], [1])
    assert not shared.of(Progress, 2)
    shared.engine.run_until_idle()
    assert all(shared.of(Finished, job_id) for job_id in (1, 2, 3))
    first, second = (_pictures(shared.of(Finished, job_id)[0]) for job_id in (1, 2))
    assert np.array_equal(first, second)


def test_a_cancelled_one_ends_at_its_step_and_the_next_begins(shared: Shared, whole_request: GenerationRequest) -> None:
    shared.submit(1, whole_request)
    shared.engine.tick()
    shared.engine.tick()
    shared.engine.cancel(Cancel(job_id=1, attempt=1))
    shared.submit(2, whole_request)
    shared.engine.run_until_idle()
    assert shared.of(Failed, 1)[0].reason is FailureReason.CANCELLED
    assert max(event.step for event in shared.of(Progress, 1)) < 6
    assert shared.of(Finished, 2)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": 80}, FailureReason.INVALID_REQUEST),
        ({"scheduler_name": "Euler"}, FailureReason.UNFIT_SAMPLER),
        ({"variations": (Variation(seed=1, strength=0.2),)}, FailureReason.INVALID_REQUEST),
        ({"upscale": Upscale(scale=2, strength=0.3)}, FailureReason.INVALID_REQUEST),
    ],
)
def test_what_it_cannot_do_is_refused(
    shared: Shared, whole_request: GenerationRequest, changes: dict[str, Any], reason: FailureReason
) -> None:
    shared.submit(1, msgspec.structs.replace(whole_request, **changes))
    shared.engine.run_until_idle()
    assert shared.of(Failed, 1)[0].reason is reason


def test_a_failure_is_its_own_alone(
    shared: Shared, request_: GenerationRequest, whole_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = model_in(shared.engine, "tiny").any_pipeline._pipeline
    forward = pipeline.transformer.forward

    def broken(*args: Any, **options: Any) -> Any:
        return tuple(part * float("nan") for part in forward(*args, **options))

    monkeypatch.setattr(pipeline.transformer, "forward", broken)
    shared.submit(1, whole_request)
    shared.submit(2, request_)
    shared.engine.run_until_idle()
    assert shared.of(Failed, 1)[0].reason is FailureReason.BROKEN_IMAGE
    assert shared.of(Finished, 2)
    monkeypatch.undo()
    shared.events.clear()
    shared.submit(3, whole_request)
    shared.engine.run_until_idle()
    assert shared.of(Finished, 3)


def test_its_pictures_are_resampled_when_they_are_upscaled(shared: Shared, whole_request: GenerationRequest) -> None:
    shared.submit(1, msgspec.structs.replace(whole_request, upscale=Upscale(scale=2, strength=0.0)))
    shared.engine.run_until_idle()
    assert {picture.shape for picture in _pictures(shared.of(Finished, 1)[0])} == {(128, 192, 3)}


def _spec(folder: Path) -> ModelSpec:
    return catalogue_of(folder, "pipeline", "Model's own").default


def test_its_files_are_checked_and_measured(folder: Path, tmp_path: Path) -> None:
    check_source(_spec(folder))
    foreseen = expected_bytes(_spec(folder), PLACEMENT, None)
    assert foreseen is not None
    assert foreseen > 10_000
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    index = json.loads((copy / "model_index.json").read_text())
    wrong: tuple[tuple[str, Any, str], ...] = (
        ("_class_name", "NoSuchPipeline", "NoSuchPipeline"),
        ("_class_name", ["mine", "Mine"], "mine"),
        ("transformer", ["mine", "Transformer"], "mine"),
    )
    for name, value, word in wrong:
        (copy / "model_index.json").write_text(json.dumps({**index, name: value}))
        with pytest.raises(ModelUnavailable, match=word):
            check_source(_spec(copy))
    source = _spec(folder).source
    assert isinstance(source, FolderSource)
    single = msgspec.structs.replace(_spec(folder), source=FileSource(path=f"{source.path}/x.safetensors"))
    with pytest.raises(ModelUnavailable, match="name the diffusers folder with the rest in config"):
        check_source(single)
