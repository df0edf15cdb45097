"""Weights that are kept in float8: less memory, diffusers' own latents, and the same bits in company."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from transformers import CLIPTextConfig, PreTrainedModel

from benchmarks.families import packed
from config.catalogue import Catalogue
from pipeline.engine.device.acceleration import AcceleratorUnavailable, check_acceleration
from pipeline.engine.device.per_row_layers import use
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loop import Engine
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.memory import offload, restore, size_of
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.weights.storage import store
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family, FileSource
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished, Submit
from pipeline.protocol.wire.settings import Acceleration
from tests.pipeline.engine import tiny
from tests.pipeline.engine.away import Away
from tests.pipeline.engine.conftest import Studio, _latents
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.single_files import checkpoint_of, written
from tests.pipeline.engine.tiny import in_float64

PLACEMENT = choose_placement("cpu", "float32")


@pytest.fixture(scope="module")
def small(small_catalogue: Catalogue) -> Catalogue:
    spec = msgspec.structs.replace(small_catalogue.default, weights={"unet": "float8"})
    return msgspec.structs.replace(small_catalogue, models=MappingProxyType({spec.key: spec}))


@pytest.fixture(scope="module")
def stored(small: Catalogue) -> Studio:
    return Studio(small)


def test_latents_equal_those_of_diffusers_own_casting(
    stored: Studio, studio: Studio, tiny_folder: Path, request_: GenerationRequest
) -> None:
    theirs = in_float64(StableDiffusionPipeline.from_pretrained(tiny_folder))
    theirs.unet.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float64)
    request = msgspec.structs.replace(request_, num_inference_steps=4, guidance_scale=5.0, num_images=2)
    ours = stored.draw(request).clone()
    assert (ours - final_latents(theirs, request)).abs().max().item() <= TOLERANCE
    assert (ours - studio.draw(request)).abs().max().item() > 1e-3
    finished = stored.pictures(request)
    assert finished.recipe is not None
    assert finished.recipe.dtype == "float64, unet in float8"


def drawn(engine: Engine, requests: list[GenerationRequest]) -> list[torch.Tensor]:
    _latents.clear()
    for number, request in enumerate(requests):
        engine.submit(Submit(job_id=number, attempt=1, request=request))
    engine.run_until_idle()
    return [latents.clone() for latents in _latents]


def test_a_picture_has_its_bits_alone_and_in_company(stored: Studio, request_: GenerationRequest) -> None:
    first = msgspec.structs.replace(request_, num_inference_steps=3, seed=1)
    second = msgspec.structs.replace(request_, num_inference_steps=5, seed=2, guidance_scale=3.0)
    alone = [drawn(stored.engine, [request])[0] for request in (first, second)]
    together = drawn(stored.engine, [first, second])
    assert all(torch.equal(*pair) for pair in zip(alone, together, strict=True))


def test_memory_is_foreseen_and_stays_small_when_weights_move(small: Catalogue, small_catalogue: Catalogue) -> None:
    plain = expected_bytes(msgspec.structs.replace(small_catalogue.default, enlarger=None), PLACEMENT, None)
    spec = msgspec.structs.replace(small.default, enlarger=None)
    model = load_model(spec, PLACEMENT, None, lambda: None)
    size = size_of(model.modules)
    assert plain is not None
    assert size < 0.7 * plain
    assert expected_bytes(spec, PLACEMENT, None) == pytest.approx(size, rel=0.01)
    offload(model.modules)
    restore(model.modules, torch.device("cpu"))
    assert size_of(model.modules) == size


def test_memory_of_a_checkpoint_is_foreseen(tmp_path: Path) -> None:
    pipeline = tiny.stable_diffusion()
    for name in ("whole", "rest"):
        pipeline.save_pretrained(tmp_path / name)
    file = written(tmp_path / "model.safetensors", checkpoint_of(pipeline))
    spec = tiny.catalogue_of(tmp_path / "whole", "sd").default
    spec = msgspec.structs.replace(spec, weights={"unet": "float8"})
    whole = expected_bytes(spec, PLACEMENT, None)
    spec = msgspec.structs.replace(spec, source=FileSource(path=str(file), config=str(tmp_path / "rest")))
    assert whole is not None
    assert expected_bytes(spec, PLACEMENT, None) == pytest.approx(whole, rel=0.05)


def test_per_row_layers_leave_the_casting_as_it_was(small: Catalogue) -> None:
    network = load_model(small.default, PLACEMENT, None, lambda: None).adapter.network
    name = next(name for name, part in network.named_modules() if isinstance(part, torch.nn.Conv2d))
    layer = network.get_submodule(name)
    rows = torch.randn(2, layer.in_channels, 8, 8)  # pyright: ignore[reportArgumentType] - of a convolution
    whole = layer(rows)
    use(network, [name])
    assert torch.allclose(layer(rows), whole, atol=1e-5)
    use(network, [])
    assert torch.equal(layer(rows), whole)
    assert layer.weight.dtype == torch.float8_e4m3fn


@pytest.mark.parametrize(
    ("make", "family", "sampler"),
    [(tiny.stable_diffusion_3, "sd3", "Flow Euler"), (tiny.pixart_sigma, "pipeline", "Model's own")],
)
def test_other_families_draw_with_them_too(
    make: Callable[[], Any], family: Family, sampler: str, request_: GenerationRequest, tmp_path: Path
) -> None:
    make().save_pretrained(tmp_path)
    spec = tiny.catalogue_of(tmp_path, family, sampler).default
    spec = msgspec.structs.replace(spec, weights={"transformer": "float8"})
    studio = Studio(Catalogue(models={spec.key: spec}, default_key=spec.key))
    studio.engine.submit(
        Submit(
            job_id=1,
            attempt=1,
            request=msgspec.structs.replace(
                request_, model_key=spec.key, scheduler_name=sampler, num_inference_steps=2, width=64, height=64
            ),
        )
    )
    studio.engine.run_until_idle()
    assert isinstance(studio.events[-1], Finished), studio.events[-1]


class Blind(PreTrainedModel):
    """A text encoder that begins with a linear layer, by whose precision it says its own."""

    config_class = CLIPTextConfig

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.first = torch.nn.Linear(2, 2)


def test_what_cannot_be_kept_so_is_told(small_catalogue: Catalogue) -> None:
    spec: ModelSpec = msgspec.structs.replace(small_catalogue.default, weights={"tokenizer": "float8"})
    known = r"tokenizer in .*, and only these can be kept in float8: text_encoder, unet, vae"
    with pytest.raises(ModelUnavailable, match=known):
        check_source(spec)
    spec = msgspec.structs.replace(spec, weights={"text_encoder": "float8"})
    with pytest.raises(ModelUnavailable, match="A Blind in float8 would hand that precision on"):
        store({"text_encoder": Blind(CLIPTextConfig())}, spec, PLACEMENT)
    with pytest.raises(AcceleratorUnavailable, match=r"leave \[model.weights\] out"):
        placement = choose_placement("cpu", "float32", Acceleration(fuse_qkv=True))
        check_acceleration(placement, has_loras=False, has_stored_weights=True)


@pytest.mark.parametrize(
    ("make", "family", "name"),
    [
        (tiny.stable_diffusion, "sd", "text_encoder"),
        (tiny.stable_diffusion_3, "sd3", "text_encoder_3"),
        (packed.klein, "flux2", "text_encoder"),
    ],
)
def test_text_encoders_compute_with_rounded_weights(
    make: Callable[[], Any], family: Family, name: str, request_: GenerationRequest, tmp_path: Path, away: Away
) -> None:
    """CLIP, T5 and Qwen 3, on the device and from RAM."""
    make().save_pretrained(tmp_path)
    sampler = "Euler" if family == "sd" else "Flow Euler"
    spec = tiny.catalogue_of(tmp_path, family, sampler).default
    spec = msgspec.structs.replace(spec, weights={name: "float8"}, text_encoder_rests=False)
    request = msgspec.structs.replace(
        request_, model_key=spec.key, scheduler_name=sampler, num_inference_steps=2, width=64, height=64
    )
    rests = msgspec.structs.replace(spec, text_encoder_rests=True)
    studio, from_ram = (Studio(Catalogue(models={spec.key: each}, default_key=spec.key)) for each in (spec, rests))
    theirs = in_float64(type(make()).from_pretrained(tmp_path))
    for part, layer in getattr(theirs, name).named_modules():
        if isinstance(layer, torch.nn.Linear) and part.rpartition(".")[2] not in ("wo", "lm_head"):
            for tensor in layer.parameters():
                tensor.data = tensor.data.to(torch.float8_e4m3fn).double()
    ours = studio.draw(request).clone()
    spacing = studio.model.adapter.spacing(passes_of(request, spec.facts)[0])
    assert (ours - final_latents(theirs, request, spacing)).abs().max().item() <= TOLERANCE
    at_first = away.transferred
    assert from_ram.draw(request).equal(ours)
    assert away.transferred > at_first
    for each in (spec, rests):
        size = size_of(load_model(each, PLACEMENT, None, lambda: None).modules)
        assert expected_bytes(each, PLACEMENT, None) == pytest.approx(size, rel=0.02)
