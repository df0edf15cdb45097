"""Components of whole pipelines that have no weights: their class says which file configures them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.families import others, packed
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.sources import Look, check_source
from tests.pipeline.engine.tiny import catalogue_of

# NucleusMoEImageTransformer2DModel makes layers without features when it has no experts.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")


def _look(folder: Path) -> Look:
    return check_source(catalogue_of(folder, "pipeline", sampler="Model's own").default)


@pytest.mark.parametrize(
    ("build", "light"),
    [
        (packed.flux_2, "tokenizer/tokenizer_config.json"),
        (packed.longcat, ""),
        (packed.nucleus, ""),
        (others.kandinsky_2, "prior_tokenizer/tokenizer_config.json"),
        (others.hunyuan_image, "guider/guider_config.json"),
    ],
)
def test_components_without_weights_are_known_by_their_class(
    build: Callable[[], Any], light: str, tmp_path: Path
) -> None:
    build().save_pretrained(tmp_path)
    assert not _look(tmp_path).unread
    if light.startswith(("prior", "guider")):
        (tmp_path / light).unlink()
        with pytest.raises(ModelUnavailable, match=f"has no {light}"):
            _look(tmp_path)
