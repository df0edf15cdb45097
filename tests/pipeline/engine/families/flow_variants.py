"""Tiny models of flow families: each kind in the engine, and in diffusers' own pipeline beside it."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.families import grids, packed
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.reference import final_latents

SHIFTS = MappingProxyType(
    {
        "static": {"shift": 3.0},
        "dynamic": {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15},
    }
)


class Variant(NamedTuple):
    """One kind of models of a family.

    Attributes:
        family: its family.
        build: makes a tiny one.
        guides: CFG and negative prompts that it can have.
        lacks: what it lacks.
    """

    family: Family
    build: Callable[[], Any]
    guides: tuple[tuple[float, str], ...]
    lacks: tuple[Capability, ...] = ()


GUIDED = ((1.0, ""), (4.5, "red, rain and much more of what nobody wants to see in a picture of this kind"), (4.5, ""))
ALONE = ((1.0, ""), (4.5, ""))
NEGATIVE, GUIDANCE = Capability.NEGATIVE_PROMPT, Capability.GUIDANCE
VARIANTS: dict[str, Variant] = {
    "Z-Image": Variant("z-image", grids.z_image, GUIDED),
    "klein": Variant("flux2", packed.klein, GUIDED),
    "klein, distilled": Variant("flux2", packed.klein_distilled, ALONE, (GUIDANCE, NEGATIVE)),
    "FLUX.1 dev": Variant("flux", packed.flux_dev, ALONE, (NEGATIVE,)),
    "FLUX.1 schnell": Variant("flux", packed.flux_schnell, ALONE, (GUIDANCE, NEGATIVE)),
    "Chroma": Variant("flux", packed.chroma, GUIDED),
    "FLUX.2 dev": Variant("flux2", packed.flux_2, ALONE, (NEGATIVE,)),
}


class Opened(NamedTuple):
    """A tiny model in the engine, and diffusers' own pipeline beside it."""

    name: str
    folder: Path
    studio: Studio
    reference: Any

    @property
    def family(self) -> Family:
        return VARIANTS[self.name].family

    @property
    def guides(self) -> tuple[tuple[float, str], ...]:
        return VARIANTS[self.name].guides

    def difference(self, request: GenerationRequest) -> float:
        spacing = self.studio.model.adapter.spacing(passes_of(request, FAMILY_FACTS[self.family])[0])
        return (self.studio.draw(request) - final_latents(self.reference, request, spacing)).abs().max().item()
