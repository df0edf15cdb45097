"""What `easel models add` derives from the files of flow families."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.families import grids, packed
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.examining import Surveyed
from pipeline.surveying import surveyed


@pytest.mark.parametrize(
    ("build", "family", "steps", "cfg"),
    [
        (grids.z_image, "z-image", 28, 5.0),
        (packed.klein, "flux2", 50, 4.0),
        (packed.klein_distilled, "flux2", 8, 1.0),
        (packed.flux_2, "flux2", 50, 4.0),
        (packed.flux_dev, "flux", 28, 3.5),
        (packed.flux_schnell, "flux", 8, 1.0),
        (packed.qwen_image, "pipeline", 50, 4.0),
    ],
)
def test_a_folder_tells_its_family(
    tmp_path: Path, build: Callable[[], Any], family: Family, steps: int, cfg: float
) -> None:
    build().save_pretrained(tmp_path)
    assert surveyed(tmp_path) == Surveyed(family=family, steps=steps, cfg=cfg, side=1_024)
