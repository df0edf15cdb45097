"""A first block cache: fewer blocks are computed, seeds repeat even after a cancel, and the recipe says so."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from diffusers.models.transformers.transformer_flux import FluxSingleTransformerBlock

from benchmarks.families import packed
from config.catalogue import Catalogue
from config.checking import check_model
from config.loading import ConfigError
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.capabilities import check_cache
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Cancel, Submit
from tests.pipeline.engine import tiny
from tests.pipeline.engine.conftest import Studio


def test_blocks_are_skipped_and_seeds_repeat(
    tmp_path: Path, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed.flux_dev().save_pretrained(tmp_path)
    spec = tiny.catalogue_of(tmp_path, "pipeline", "Model's own").default
    request = msgspec.structs.replace(
        request_, model_key=spec.key, scheduler_name="Model's own", width=64, height=64, num_inference_steps=6
    )
    computed: list[object] = []
    forward = FluxSingleTransformerBlock.forward

    def counted(block: FluxSingleTransformerBlock, *given: Any, **more: Any) -> Any:
        computed.append(block)
        return forward(block, *given, **more)

    monkeypatch.setattr(FluxSingleTransformerBlock, "forward", counted)
    counts: dict[float | None, int] = {}
    for threshold in (None, 1e-9, 1.0):
        cached = msgspec.structs.replace(spec, first_block_cache=threshold)
        studio = Studio(Catalogue(models={spec.key: cached}, default_key=spec.key))
        computed.clear()
        finished = studio.finished(request)
        counts[threshold] = len(computed)
        other = msgspec.structs.replace(request, seed=99)
        studio.engine.submit(Submit(job_id=2, attempt=1, request=other))
        for _ in range(3):
            studio.engine.tick()
        studio.engine.cancel(Cancel(job_id=2, attempt=1))
        studio.engine.run_until_idle()
        assert studio.finished(request).outputs == finished.outputs
        assert finished.recipe is not None
        assert finished.recipe.dtype == (
            "float64" + ("" if threshold is None else f", first block cached up to {threshold:g}")
        )
        assert (b"First block cache: " in finished.outputs[0].data) is (threshold is not None)
    assert counts[None] == counts[1e-9] == 6 * counts[1.0]


def test_what_cannot_be_cached_is_a_sentence(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(
        tiny.catalogue_of(tmp_path, "pipeline", "Model's own").default, first_block_cache=0.1
    )
    unet = type(tiny.stable_diffusion().unet)
    with pytest.raises(ModelUnavailable, match="diffusers caches no blocks of UNet2DConditionModel; leave it out"):
        check_cache(spec, {"unet": unet, "scheduler": None})
    drawn_in_steps = msgspec.structs.replace(
        tiny.catalogue_of(tmp_path, "flux", "Flow Euler").default, first_block_cache=0.1
    )
    with pytest.raises(ConfigError, match="first_block_cache is only for the family pipeline"):
        check_model(drawn_in_steps, tmp_path)
