"""Every family against diffusers' own, unmodified pipeline, in float64, on tiny random models."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest
import torch
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3_img2img import StableDiffusion3Img2ImgPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
    StableDiffusionXLImg2ImgPipeline,
)
from torch.nn.functional import interpolate

from pipeline.engine.failures import UnfitSampler
from pipeline.engine.sampling.schedulers import begin_late, build_scheduler, denoised_latents, scaled_input
from pipeline.protocol.catalogue.models import FamilyFacts
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest, Upscale
from pipeline.protocol.samplers.table import SAMPLERS, offered_samplers
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.reference import DIFFUSION_SAMPLERS, TOLERANCE, final_latents
from tests.pipeline.engine.tiny import (
    catalogue_of,
    in_float64,
    pass_of,
    stable_diffusion,
    stable_diffusion_3,
    stable_diffusion_xl,
)


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
    spacing = model.studio.model.adapter.spacing(passes_of(request, FamilyFacts())[0])
    return (model.studio.draw(request) - final_latents(model.reference, request, spacing)).abs().max().item()


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=64, height=80, num_inference_steps=3)


@pytest.mark.parametrize(
    ("scheduler_name", "guidance_scale", "negative", "images"),
    [
        *((name, 6.0, "red, rain", 2) for name in DIFFUSION_SAMPLERS[::3]),  # the steps are those of `sd`, of all
        *((name, 1.0, "", 1) for name in ("Euler", "Heun", "DPM++ SDE Karras")),
    ],
)
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
    adapter = model.studio.model.adapter
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
    assert model.studio.model.adapter.encode_text(request).negative is None


def test_a_distilled_model_says_that_it_reads_no_negative_prompt(
    open_model: _Open, tiny_request: GenerationRequest
) -> None:
    model = open_model("sd", stable_diffusion, time_cond_proj_dim=16)
    request = msgspec.structs.replace(tiny_request, scheduler_name="LCM", guidance_scale=8.0, negative_prompt="rain")
    adapter = model.studio.model.adapter
    assert [notice.key for notice in adapter.encode_text(request).notices] == ["notice-negative-unused"]
    assert not adapter.encode_text(msgspec.structs.replace(request, negative_prompt="")).notices


@pytest.mark.parametrize(("guidance_scale", "negative", "images"), [(1.0, "", 1), (5.0, "red, rain", 2), (5.0, "", 1)])
@pytest.mark.parametrize("scheduler_name", offered_samplers("flow"))
@pytest.mark.parametrize(
    "options", [{}, {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}, {"has_t5": False}]
)
def test_sd3_equals_diffusers(
    open_model: _Open,
    tiny_request: GenerationRequest,
    options: dict[str, Any],
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
    assert _difference(open_model("sd3", stable_diffusion_3, **options), request) <= TOLERANCE


def test_a_schedule_shifts_with_the_size_whatever_the_sampler(open_model: _Open) -> None:
    adapter = open_model("sd3", stable_diffusion_3, use_dynamic_shifting=True).studio.model.adapter
    sigmas: dict[tuple[str, int], list[float]] = {}
    for name in offered_samplers("flow"):
        for side in (64, 1024):
            scheduler = adapter.build_scheduler(SAMPLERS[name], pass_of(10, side), [])
            sigmas[name, side] = sorted(set(scheduler.sigmas.tolist()))
    for side in (64, 1024):
        assert sigmas["Flow Heun", side] == pytest.approx(sigmas["Flow Euler", side], abs=1e-5)
    assert sigmas["Flow Euler", 1024][5] > sigmas["Flow Euler", 64][5] + 0.05


@pytest.mark.parametrize(("family", "scheduler_name"), [("sd3", "Euler"), ("sdxl", "Flow Euler")])
def test_a_sampler_of_the_other_kind_is_refused(open_model: _Open, family: Family, scheduler_name: str) -> None:
    build = stable_diffusion_3 if family == "sd3" else stable_diffusion_xl
    adapter = open_model(family, build).studio.model.adapter
    with pytest.raises(UnfitSampler, match=f"{scheduler_name} does not fit"):
        adapter.build_scheduler(SAMPLERS[scheduler_name], pass_of(4), [])


def test_brackets_are_text_to_t5_and_what_was_cut_is_told(open_model: _Open, tiny_request: GenerationRequest) -> None:
    model = open_model("sd3", stable_diffusion_3)
    request = msgspec.structs.replace(tiny_request, scheduler_name="Flow Euler", prompt="a (red:1.4) [cat:dog:2]")
    assert _difference(model, request) <= TOLERANCE
    adapter = model.studio.model.adapter
    assert [notice.key for notice in adapter.encode_text(request).notices] == ["notice-brackets-are-text"]
    long = msgspec.structs.replace(request, prompt="a" * 220 + " " + "b" * 60 + " end")
    (notice,) = adapter.encode_text(long).notices
    assert (notice.key, notice.values) == ("notice-prompt-cut", {"text": "b" * 60 + " end"})
    assert _difference(model, long) <= TOLERANCE


def test_without_t5_clip_says_what_was_cut(open_model: _Open, tiny_request: GenerationRequest) -> None:
    adapter = open_model("sd3", stable_diffusion_3, has_t5=False).studio.model.adapter
    request = msgspec.structs.replace(tiny_request, prompt="red " * 80)
    (notice,) = adapter.encode_text(request).notices
    assert notice.key == "notice-prompt-cut"
    assert str(notice.values["text"]).startswith("red red")


@pytest.mark.parametrize("scheduler_name", ["Euler", "DPM++ 2M Karras", "Flow Euler", "Flow Heun"])
def test_the_second_pass_equals_image_to_image_of_diffusers(
    open_model: _Open, tiny_request: GenerationRequest, scheduler_name: str
) -> None:
    is_flow = SAMPLERS[scheduler_name].kind == "flow"
    build = stable_diffusion_3 if is_flow else stable_diffusion_xl
    model = open_model("sd3" if is_flow else "sdxl", build)
    adapter = model.studio.model.adapter
    request = msgspec.structs.replace(
        tiny_request, scheduler_name=scheduler_name, num_inference_steps=4, upscale=Upscale(scale=2, strength=0.5)
    )
    first = model.studio.draw(msgspec.structs.replace(request, upscale=None))
    height, width = 2 * request.height, 2 * request.width
    pixels = interpolate(adapter.decode(first), (height, width), mode="bicubic", antialias=True)
    generator = torch.Generator().manual_seed(request.seed)
    torch.randn(tuple(first.shape), generator=generator, dtype=torch.float64)  # what the first pass drew
    pipeline_class = StableDiffusion3Img2ImgPipeline if is_flow else StableDiffusionXLImg2ImgPipeline
    image_to_image: Any = pipeline_class(**model.reference.components)
    image_to_image.set_progress_bar_config(disable=True)
    image_to_image.scheduler = build_scheduler(SAMPLERS[scheduler_name], adapter.scheduler_config, 4, [])
    size = {"height": height, "width": width} if is_flow else {}
    expected = image_to_image(
        prompt=request.prompt,
        image=adapter.encode(pixels.clamp(0, 1)).double(),
        strength=0.5,
        num_inference_steps=4,
        guidance_scale=request.guidance_scale,
        generator=[generator],
        output_type="latent",
        **size,
    ).images
    assert (model.studio.draw(request) - expected).abs().max().item() <= TOLERANCE


@pytest.mark.parametrize(("family", "scheduler_name"), [("sd", "Euler"), ("sd3", "Flow Euler"), ("sd3", "Flow Heun")])
def test_a_preview_shows_where_noise_and_prediction_meet(
    open_model: _Open, family: Family, scheduler_name: str
) -> None:
    """Made of a known picture and known noise, the model's input and a perfect prediction give the picture back."""
    build = stable_diffusion_3 if family == "sd3" else stable_diffusion
    adapter = open_model(family, build).studio.model.adapter
    scheduler = adapter.build_scheduler(SAMPLERS[scheduler_name], pass_of(6), [])
    picture, noise = (torch.randn(1, 4, 8, 8, dtype=torch.float64) for _ in range(2))
    latents = begin_late(scheduler, picture, noise, 2)
    timestep = scheduler.timesteps[2]
    prediction = noise - picture if SAMPLERS[scheduler_name].kind == "flow" else noise
    known = denoised_latents(scheduler, scaled_input(scheduler, latents, timestep), prediction, timestep)
    assert (known - picture).abs().max().item() < 1e-2
