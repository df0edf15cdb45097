"""An engine in float64, and diffusers' own pipeline beside it."""

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from config.catalogue import Catalogue, load_catalogue
from config.settings import PipelineSettings
from pipeline.engine import loop
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.families.base import EncodedText
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps import shapes
from pipeline.protocol.messages import EngineOptions, Failed, Finished, JobEvent, Submit
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.tiny import catalogue_of, in_float64, stable_diffusion

_LEARNT = tempfile.TemporaryDirectory()
"""What one engine learnt about this computer, the next one need not."""
_latents: list[torch.Tensor] = []


class _Recorder(Finisher):
    """Keeps the final latents of every job."""

    def __init__(self, job: Any, *rest: Any) -> None:
        _latents.append(job.latents.clone())
        super().__init__(job, *rest)


class Studio:
    """An engine in float64 and what it said."""

    def __init__(self, catalogue: Catalogue, loras: Path | None = None) -> None:
        self.events: list[JobEvent] = []
        self.engine = Engine(
            models=catalogue.models,
            placement=choose_placement("cpu", "float64"),
            loras=LoraFolder(loras),
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(state_directory=_LEARNT.name),
        )
        self._model_key = catalogue.default_key
        self.engine.preload(self._model_key)

    @property
    def model(self) -> LoadedModel:
        """The catalogue's first model, as the engine has it."""
        return model_in(self.engine, self._model_key)

    def draw(self, request: GenerationRequest) -> torch.Tensor:
        """Final latents, [images, 4, h, w]."""
        _latents.clear()
        self.events.clear()
        self.engine.submit(Submit(job_id=1, attempt=1, request=request))
        self.engine.run_until_idle()
        assert not [event for event in self.events if isinstance(event, Failed)], self.events[-1]
        return _latents[-1]

    def encoded(self, request: GenerationRequest) -> EncodedText:
        """What a job would begin with."""
        return self.model.adapter.encode_text(request)

    def pictures(self, request: GenerationRequest) -> Finished:
        """The files of a request."""
        self.draw(request)
        (finished,) = [event for event in self.events if isinstance(event, Finished)]
        return finished


class Beside(NamedTuple):
    """A model in Easel's engine, and in diffusers' own pipeline."""

    studio: Studio
    reference: Any


@pytest.fixture(scope="module")
def module_catalogue() -> Catalogue:
    return load_catalogue(PipelineSettings().catalogue, "pocket")


@pytest.fixture(scope="module")
def every_shape_pays() -> Generator[None]:
    """A busy machine does not decide how many rows there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "LEAST_GAIN", 0.0)
        patch.setattr(shapes, "LONGEST_FORWARD_S", float("inf"))
        yield


@pytest.fixture(scope="module")
def studio(module_catalogue: Catalogue) -> Studio:
    return Studio(module_catalogue)


@pytest.fixture(autouse=True)
def record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "Finisher", _Recorder)


@pytest.fixture
def every_preview_is_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background work ends within its tick. Otherwise a short job may end before its preview is drawn."""
    tick = Engine.tick

    def waiting(engine: Engine) -> None:
        tick(engine)
        while engine._background.is_busy:
            engine._background.wait()
            engine._background.collect()

    monkeypatch.setattr(Engine, "tick", waiting)


@pytest.fixture(scope="module")
def reference() -> Any:
    folder = Path(__file__).parents[3] / "models" / "pocket"
    pipeline: Any = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float64)
    pipeline.text_encoder.to(torch.float64)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.own_scheduler_config = dict(pipeline.scheduler.config)
    return pipeline


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Beside:
    """A Stable Diffusion with random weights; a row of it costs a fifth of the shipped model's."""
    folder = tmp_path_factory.mktemp("tiny")
    pipeline = stable_diffusion()
    pipeline.save_pretrained(folder)
    return Beside(Studio(catalogue_of(folder, "sd")), in_float64(pipeline))
