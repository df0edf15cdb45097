"""Every family against diffusers' own, unmodified pipeline, in float64, on tiny random models."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from pipeline.protocol.models import Family
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.tiny import catalogue_of, in_float64, stable_diffusion, stable_diffusion_xl


class _Model(NamedTuple):
    studio: Studio
    reference: Any


_Open = Callable[..., _Model]


@pytest.fixture(scope="module")
def open_model(tmp_path_factory: pytest.TempPathFactory) -> _Open:
    """Saves a pipeline as files, reads them with the engine, and keeps both."""
    opened: dict[str, _Model] = {}

    def open_once(family: Family, build: Callable[..., Any], *args: Any, **options: Any) -> _Model:
        name = f"{family} {args} {options}"
        if name not in opened:
            folder = tmp_path_factory.mktemp("model")
            pipeline = build(*args, **options)
            pipeline.save_pretrained(folder)
            opened[name] = _Model(Studio(catalogue_of(folder, family)), in_float64(pipeline))
        return opened[name]

    return open_once


def _difference(model: _Model, request: GenerationRequest) -> float:
    return (model.studio.draw(request) - final_latents(model.reference, request)).abs().max().item()


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=64, height=80, num_inference_steps=3)


@pytest.mark.parametrize(("guidance_scale", "negative", "images"), [(1.0, "", 1), (6.0, "red, rain", 2)])
@pytest.mark.parametrize("scheduler_name", sorted(SAMPLERS))
def test_sdxl_equals_diffusers(
    open_model: _Open,
    tiny_request: GenerationRequest,
    scheduler_name: str,
    guidance_scale: float,
    negative: str,
    images: int,
) -> None:
    request = msgspec.structs.replace(
        tiny_request,
        scheduler_name=scheduler_name,
        guidance_scale=guidance_scale,
        negative_prompt=negative,
        num_images=images,
    )
    assert _difference(open_model("sdxl", stable_diffusion_xl), request) <= TOLERANCE


@pytest.mark.parametrize("scheduler_name", ["Euler", "Heun", "DPM++ 2M Karras", "DDIM"])
@pytest.mark.parametrize("build", [stable_diffusion, stable_diffusion_xl])
@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_both_prediction_types_equal_diffusers(
    open_model: _Open,
    tiny_request: GenerationRequest,
    build: Callable[..., Any],
    prediction_type: str,
    scheduler_name: str,
) -> None:
    family: Family = "sd" if build is stable_diffusion else "sdxl"
    request = msgspec.structs.replace(tiny_request, scheduler_name=scheduler_name, num_images=2)
    assert _difference(open_model(family, build, prediction_type), request) <= TOLERANCE


@pytest.mark.parametrize("zeros", [True, False])
def test_nothing_to_avoid_is_what_the_model_was_trained_with(
    open_model: _Open, tiny_request: GenerationRequest, *, zeros: bool
) -> None:
    model = open_model("sdxl", stable_diffusion_xl, zeros_for_nothing=zeros)
    assert _difference(model, tiny_request) <= TOLERANCE
    adapter = model.studio.engine._model.adapter
    negative = adapter.encode_text(tiny_request).negative
    assert negative is not None
    assert bool(negative.at(1)["prompt_embeds"].any()) is not zeros


@pytest.mark.parametrize("build", [stable_diffusion, stable_diffusion_xl])
def test_a_distilled_model_is_told_its_guidance_and_has_no_unconditional_rows(
    open_model: _Open, tiny_request: GenerationRequest, build: Callable[..., Any]
) -> None:
    family: Family = "sd" if build is stable_diffusion else "sdxl"
    model = open_model(family, build, time_cond_proj_dim=16)
    request = msgspec.structs.replace(tiny_request, scheduler_name="LCM", guidance_scale=8.0)
    assert _difference(model, request) <= TOLERANCE
    other = msgspec.structs.replace(request, guidance_scale=2.0)
    assert (model.studio.draw(other) - model.studio.draw(request)).abs().max().item() > 1e-6
    assert model.studio.engine._model.adapter.encode_text(request).negative is None
