"""Tiny models of the families whose steps Easel runs itself and whose networks are flow transformers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from benchmarks.families import grids, packed
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family
from tests.pipeline.engine.tiny import catalogue_of

FLOWS: Final[Mapping[Family, Callable[[], Any]]] = MappingProxyType(
    {"z-image": grids.z_image, "flux2": packed.klein, "flux": packed.flux_dev}
)
"""Functions that build the pipeline of each family."""


def saved(family: Family, folder: Path) -> ModelSpec:
    """Entry of a family's tiny model, whose files are written to a folder."""
    FLOWS[family]().save_pretrained(folder)
    return catalogue_of(folder, family, "Flow Euler").default
