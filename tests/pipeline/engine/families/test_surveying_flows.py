"""What `easel models add` derives from the files of flow families."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.families import blocks, grids, packed
from benchmarks.families.parts import flow, save
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.examining import Surveyed
from pipeline.surveying import surveyed

BOTH = (Capability.GUIDANCE, Capability.NEGATIVE_PROMPT)


@pytest.mark.parametrize(
    ("build", "family", "steps", "cfg", "lacks"),
    [
        (grids.z_image, "z-image", 9, 1.0, ()),
        (packed.klein, "flux2", 50, 4.0, ()),
        (packed.klein_distilled, "flux2", 4, 1.0, BOTH),
        (packed.flux_2, "flux2", 50, 4.0, BOTH[1:]),
        (packed.flux_dev, "flux", 28, 3.5, BOTH[1:]),
        (packed.flux_schnell, "flux", 4, 1.0, BOTH),
        (packed.qwen_image, "pipeline", 50, 4.0, ()),
        (blocks.anima, "pipeline", 50, 5.0, ()),
    ],
)
def test_a_folder_tells_its_family(
    tmp_path: Path,
    build: Callable[[], Any],
    family: Family,
    steps: int,
    cfg: float,
    lacks: tuple[Capability, ...],
) -> None:
    save(build(), tmp_path)
    assert surveyed(tmp_path) == Surveyed(family=family, steps=steps, cfg=cfg, side=1_024, lacks=lacks)


@pytest.mark.parametrize(
    ("name", "shift", "steps"),
    [
        ("model", 6.0, 28),
        ("z-image-turbo", 6.0, 9),
        ("z-image-base", 3.0, 28),
        ("models--Tongyi-MAI--Z-Image-Turbo/snapshots/0123", 1.0, 9),
        ("models--Tongyi-MAI--Z-Image/snapshots/0123", 6.0, 28),
    ],
)
def test_the_distilled_z_image_is_told_from_its_base(tmp_path: Path, name: str, shift: float, steps: int) -> None:
    folder = tmp_path / name
    pipeline = grids.z_image()
    pipeline.scheduler = flow(shift=shift)
    save(pipeline, folder)
    found = surveyed(folder)
    assert isinstance(found, Surveyed)
    assert (found.steps, found.cfg) == (steps, 1.0 if steps == 9 else 5.0)
