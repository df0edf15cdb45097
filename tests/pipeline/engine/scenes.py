"""Tiny models in the engine, and the same networks for diffusers' own pipelines beside them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import pytest
import torch

from benchmarks.families.flows import FLOWS
from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.finishing import finishing
from pipeline.engine.finishing.finisher import Finisher
from pipeline.engine.loop import Engine
from pipeline.engine.models.networks import CacheEntry
from pipeline.engine.sampling.schedulers import FlowSpacing
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Failed, JobEvent, Submit
from pipeline.protocol.wire.settings import Acceleration, DType, EngineOptions
from tests.pipeline.engine.loaded import model_in
from tests.pipeline.engine.reference import final_latents
from tests.pipeline.engine.tiny import (
    catalogue_of,
    in_float64,
    stable_diffusion,
    stable_diffusion_3,
    stable_diffusion_xl,
)

BUILDERS: Mapping[Family, Callable[..., Any]] = MappingProxyType(
    {"sd": stable_diffusion, "sdxl": stable_diffusion_xl, "sd3": stable_diffusion_3, **FLOWS}
)


class Mixed:
    """An engine with room for many jobs, in float64 or in another precision, and the final latents of each."""

    def __init__(
        self,
        catalogue: Catalogue,
        networks: Mapping[str, CacheEntry] | None = None,
        dtype: DType = "float64",
        acceleration: Acceleration | None = None,
    ) -> None:
        self.events: list[JobEvent] = []
        self.latents: dict[int, torch.Tensor] = {}
        self.engine = Engine(
            models={**catalogue.models, **(networks or {})},
            placement=choose_placement("cpu", dtype, acceleration),
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(max_running=8),
        )
        self.engine.preload(catalogue.default_key)

    def draw(self, submits: Sequence[Submit], monkeypatch: pytest.MonkeyPatch) -> dict[int, torch.Tensor]:
        """Final latents by job; two jobs join at each tick, and none fails."""
        latents = self.run(submits, monkeypatch)
        assert not self.of(Failed), self.of(Failed)
        return latents

    def run(self, submits: Sequence[Submit], monkeypatch: pytest.MonkeyPatch) -> dict[int, torch.Tensor]:
        """Final latents by job, of those that end well; two jobs join at each tick."""
        latents = self.latents
        self.events.clear()
        latents.clear()

        class Recorder(Finisher):
            def __init__(self, job: Any, *rest: Any) -> None:
                latents[job.name[0]] = job.latents.clone()
                super().__init__(job, *rest)

        monkeypatch.setattr(finishing, "Finisher", Recorder)
        for number, submit in enumerate(submits):
            self.engine.submit(submit)
            if number % 2:
                self.engine.tick()
        self.engine.run_until_idle()
        return latents

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Scene:
    """A model in the engine in float64, with networks beside it, and the same model for diffusers' own pipelines.

    Args:
        family: its family.
        pipeline: the tiny model, which is saved in the folder.
        folder: an empty folder.
        networks: further entries of the catalogue, by key.
        edits: whether it edits pictures.
    """

    def __init__(
        self,
        family: Family,
        pipeline: Any,
        folder: Path,
        networks: Mapping[str, CacheEntry] | None = None,
        *,
        edits: bool = False,
    ) -> None:
        # In the reference, an upcast VAE would compute in float32, and so draw other numbers.
        pipeline.vae.register_to_config(force_upcast=False)
        pipeline.save_pretrained(folder / "model")
        self.family: Family = family
        self.folder = folder
        sampler = "Flow Euler" if FAMILY_FACTS[family].kind == "flow" else "Euler"
        catalogue = catalogue_of(folder / "model", family, sampler, edits=edits)
        self.mixed = Mixed(catalogue, networks)
        self.reference = in_float64(pipeline)

    @classmethod
    def of(cls, family: Family, folder: Path, *, edits: bool = False, **options: Any) -> Self:
        """A tiny model of a family with these options."""
        return cls(family, BUILDERS[family](**options), folder, edits=edits)

    def pipeline(self, some_class: Any, **more: Any) -> Any:
        """One of diffusers' pipelines with the model's components, and with these beside or instead of them."""
        taken = inspect.signature(some_class.__init__).parameters
        parts = {**self.reference.components, **more, "requires_safety_checker": False}
        made = some_class(**{name: part for name, part in parts.items() if name in taken})
        made.set_progress_bar_config(disable=True)
        made.own_scheduler_config = self.reference.own_scheduler_config
        return made

    def expected(self, some_class: Any, submit: Submit, **options: Any) -> torch.Tensor:
        """Final latents of one of diffusers' pipelines, alone."""
        request = narrowed(submit.request, GenerationRequest)
        return final_latents(self.pipeline(some_class), request, self.spacing(request), **options)

    def spacing(self, request: GenerationRequest) -> FlowSpacing:
        """Spacing of the noise levels of a request's first pass."""
        return model_in(self.mixed.engine, "tiny").adapter.spacing(passes_of(request, FAMILY_FACTS[self.family])[0])
