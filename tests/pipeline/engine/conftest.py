"""An engine in float64, and diffusers' own pipeline beside it."""

import tempfile
from collections.abc import Generator
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from config.areas.pipeline import PipelineSettings
from config.catalogue import Catalogue, load_catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.families.base import EncodedText
from pipeline.engine.finishing import finishing
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.steps.batching import shapes
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Submit
from pipeline.protocol.wire.settings import DType, EngineOptions
from tests.pipeline.engine.away import Away
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.measured_once import remembering
from tests.pipeline.engine.tiny import POCKET, catalogue_of, in_float64, stable_diffusion

_LEARNT = tempfile.TemporaryDirectory()
"""What one engine learnt about this computer, the next one need not."""
_latents: list[torch.Tensor] = []


class _Recorder(Finisher):
    """Keeps the final latents of every job."""

    def __init__(self, job: Any, *rest: Any) -> None:
        if isinstance(job, DenoisingJob):
            _latents.append(job.latents.clone())
        super().__init__(job, *rest)


class Studio:
    """An engine, in float64 unless told otherwise, and what it said."""

    def __init__(self, catalogue: Catalogue, loras: Path | None = None, dtype: DType = "float64") -> None:
        self.events: list[JobEvent] = []
        self.engine = Engine(
            models=catalogue.models,
            placement=choose_placement("cpu", dtype),
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

    def finished(self, request: GenerationRequest) -> Finished:
        """What a job ends with, of a whole pipeline too."""
        self.events.clear()
        self.engine.submit(Submit(job_id=1, attempt=1, request=request))
        self.engine.run_until_idle()
        assert isinstance(self.events[-1], Finished), self.events[-1]
        return self.events[-1]

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


@pytest.fixture(scope="session", autouse=True)
def measured_once() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "measure", remembering(shapes.measure))
        yield


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a Stable Diffusion with random weights, and with a VAE as the shipped model has."""
    folder = tmp_path_factory.mktemp("tiny")
    stable_diffusion(has_single_answer=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def small_catalogue(module_catalogue: Catalogue, tiny_folder: Path) -> Catalogue:
    """The shipped model's entry, enlarger included, with the files of the tiny one: a row costs a fifth."""
    spec = module_catalogue.default
    small = msgspec.structs.replace(spec, source=FolderSource(path=str(tiny_folder)))
    return msgspec.structs.replace(module_catalogue, models=MappingProxyType({spec.key: small}))


@pytest.fixture(scope="module")
def studio(small_catalogue: Catalogue) -> Studio:
    return Studio(small_catalogue)


@pytest.fixture(autouse=True)
def record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "Finisher", _Recorder)


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


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    """A stand-in for a device with memory of its own."""
    return Away(monkeypatch)


@pytest.fixture(scope="module")
def reference(tiny_folder: Path) -> Any:
    """diffusers' own pipeline with the model of `studio`."""
    return in_float64(StableDiffusionPipeline.from_pretrained(tiny_folder))


@pytest.fixture(scope="module")
def shipped(module_catalogue: Catalogue) -> Beside:
    """The shipped model, for what a tiny one does not show."""
    return Beside(Studio(module_catalogue), in_float64(StableDiffusionPipeline.from_pretrained(POCKET)))


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path, reference: Any) -> Beside:
    """The tiny model under its own name."""
    return Beside(Studio(catalogue_of(tiny_folder, "sd")), reference)
