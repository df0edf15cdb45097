"""Pictures that start from a picture: the latents of diffusers' pipelines, in a batch with other people's jobs."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.flux.pipeline_flux_img2img import FluxImg2ImgPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3_img2img import StableDiffusion3Img2ImgPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
    StableDiffusionXLImg2ImgPipeline,
)
from diffusers.pipelines.z_image.pipeline_z_image_img2img import ZImageImg2ImgPipeline
from PIL import Image

from benchmarks.families.flows import FLOWS
from config.catalogue import Catalogue
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.images.decode import to_pixels
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation, narrowed
from pipeline.protocol.samplers.table import offered_samplers
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, Progress, Submit
from tests.pipeline.engine.given_pictures import from_picture, photo, png
from tests.pipeline.engine.reference import NOISY_IN_DIFFUSERS, TOLERANCE
from tests.pipeline.engine.scenes import Scene
from tests.pipeline.engine.test_batching import Shared as Exact
from tests.pipeline.engine.tiny import (
    autoencoder,
)

PIPELINES: Mapping[Family, Any] = MappingProxyType(
    {
        "sd": StableDiffusionImg2ImgPipeline,
        "sdxl": StableDiffusionXLImg2ImgPipeline,
        "sd3": StableDiffusion3Img2ImgPipeline,
        "z-image": ZImageImg2ImgPipeline,
        "flux": FluxImg2ImgPipeline,
    }
)


def expected(scene: Scene, submit: Submit, picture: Image.Image) -> torch.Tensor:
    """Final latents of diffusers' pipeline, alone."""
    request = narrowed(submit.request, GenerationRequest)
    assert request.init_image is not None
    some_class = PIPELINES[scene.family]
    # Those of flow models do not copy a picture for each image.
    image = picture if scene.family in ("sd", "sdxl") else [picture] * request.num_images
    return scene.expected(some_class, submit, image=image, strength=request.init_image.strength)


@pytest.fixture(scope="module")
def open_scene(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Family], Scene]:
    opened: dict[Family, Scene] = {}

    def open_once(family: Family) -> Scene:
        if family not in opened:
            opened[family] = Scene.of(family, tmp_path_factory.mktemp("model"))
        return opened[family]

    return open_once


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=64, height=80, num_inference_steps=7)


def samplers_of(family: Family) -> tuple[str, ...]:
    """Samplers whose pictures are compared: all of them, but every third for SDXL, whose steps are those of `sd`."""
    if family == "sd3":
        return offered_samplers("flow") * 4
    if family in FLOWS:
        # Pipelines that give sigmas count Heun's evaluations as steps, and begin beyond the end of its schedule.
        return ("Flow Euler",) * 4
    compared = [name for name in offered_samplers("diffusion") if name not in NOISY_IN_DIFFUSERS]
    return tuple(compared[:: 3 if family == "sdxl" else 1])


def check(scene: Scene, like: GenerationRequest, samplers: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One job for each sampler, of several strengths, numbers of images and guidances, among jobs from noise."""
    submits: list[Submit] = []
    pictures: dict[int, Image.Image] = {}
    for number, name in enumerate(samplers):
        request = msgspec.structs.replace(
            like,
            scheduler_name=name,
            seed=100 * number,
            num_images=1 + number % 2,
            guidance_scale=(1.0, 6.0)[number % 3 > 0],
            negative_prompt=("", "red, rain")[number % 2],
        )
        pictures[number] = photo(request.width, request.height, number)
        submits.append(from_picture(request, pictures[number], (0.3, 0.55, 0.8, 1.0)[number % 4], number))
        if number % 3 == 0:
            submits.append(Submit(job_id=1_000 + number, attempt=1, request=request))
    latents = scene.mixed.draw(submits, monkeypatch)
    for submit in submits:
        if submit.job_id in pictures:
            wanted = expected(scene, submit, pictures[submit.job_id])
            difference = (latents[submit.job_id] - wanted).abs().max().item()
            assert difference <= TOLERANCE, (submit.request, difference)


@pytest.mark.parametrize("family", PIPELINES)
def test_samplers_draw_from_a_picture_what_diffusers_draws(
    open_scene: Callable[[Family], Scene],
    tiny_request: GenerationRequest,
    family: Family,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(open_scene(family), tiny_request, samplers_of(family), monkeypatch)


def test_a_vae_with_a_single_answer_draws_what_diffusers_draws(
    tiny_request: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene.of("sd", tmp_path, has_single_answer=True)
    check(scene, tiny_request, ["Euler", "Euler a", "Heun", "DPM++ 2M Karras"], monkeypatch)


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue) -> Exact:
    return Exact(module_catalogue)


@pytest.fixture
def shared(loaded: Exact, monkeypatch: pytest.MonkeyPatch) -> Exact:
    loaded.watch(monkeypatch)
    return loaded


def starting(submit: Submit, job_id: int, **changes: Any) -> Submit:
    """The same request from the same picture, as another job."""
    return msgspec.structs.replace(submit, job_id=job_id, request=msgspec.structs.replace(submit.request, **changes))


def run(shared: Exact, *submits: Submit) -> dict[int, torch.Tensor]:
    for submit in submits:
        shared.engine.submit(submit)
    shared.engine.run_until_idle()
    return shared.latents


def test_mates_change_no_bit_and_each_image_can_be_drawn_alone(shared: Exact, request_: GenerationRequest) -> None:
    plain = msgspec.structs.replace(request_, num_inference_steps=6)
    three = from_picture(msgspec.structs.replace(plain, num_images=3, scheduler_name="Euler a"), photo(), 0.5)
    other = from_picture(msgspec.structs.replace(plain, scheduler_name="Heun", seed=5), photo(seed=1), 0.9, 2)
    alone = run(shared, three)[1].clone()
    together = run(shared, Submit(job_id=3, attempt=1, request=plain), other, starting(three, 4), starting(three, 5))
    assert together[4].equal(alone)
    assert together[5].equal(alone)
    assert not alone[0].equal(alone[1])
    for index in range(3):
        single = msgspec.structs.replace(
            three, job_id=6, request=narrowed(three.request, GenerationRequest).single(index)
        )
        assert run(shared, single)[6][0].equal(alone[index])


def test_the_weaker_the_nearer_to_the_picture(shared: Exact, request_: GenerationRequest) -> None:
    picture = photo()
    request = msgspec.structs.replace(request_, num_inference_steps=20)
    distances: list[float] = []
    for number, strength in enumerate((0.05, 0.4, 0.9)):
        run(shared, from_picture(request, picture, strength, number))
        (finished,) = shared.of(Finished, number)
        drawn = Image.open(io.BytesIO(finished.outputs[0].data)).convert("RGB").resize(picture.size)
        distances.append(np.abs(np.asarray(drawn, dtype=float) - np.asarray(picture, dtype=float)).mean())
    assert distances == sorted(distances)
    assert distances[0] < distances[-1] / 2


def test_progress_counts_the_steps_that_are_drawn(shared: Exact, request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(
        request_, num_inference_steps=8, scheduler_name="Heun", upscale=Upscale(scale=2, strength=0.25)
    )
    run(shared, from_picture(request, photo(), 0.5))
    steps = [(event.step, event.total_steps) for event in shared.of(Progress, 1)]
    assert steps == [(step, 6) for step in range(7)]
    (finished,) = shared.of(Finished, 1)
    assert "Denoising strength: 0.25" in Image.open(io.BytesIO(finished.outputs[0].data)).info["parameters"]


def test_a_second_pass_has_the_guidance_of_its_own(shared: Exact, request_: GenerationRequest) -> None:
    """At 1 it is that of a job whose guidance ends after the first pass, and costs as few rows."""
    request = msgspec.structs.replace(request_, num_inference_steps=6, guidance_scale=6.0)
    upscale = Upscale(scale=2, strength=1 / 3)
    wanted = {
        1: msgspec.structs.replace(request, upscale=msgspec.structs.replace(upscale, guidance_scale=1.0)),
        2: msgspec.structs.replace(request, upscale=upscale, guidance_end=6 / 8),
        3: msgspec.structs.replace(request, upscale=msgspec.structs.replace(upscale, guidance_scale=3.0)),
        4: msgspec.structs.replace(request, upscale=upscale),
    }
    submits = [Submit(job_id=number, attempt=1, request=each) for number, each in wanted.items()]
    drawn = {submit.job_id: run(shared, submit)[submit.job_id].clone() for submit in submits}
    assert drawn[1].equal(drawn[2])
    near, far = ((drawn[number] - drawn[1]).abs().mean() for number in (3, 4))
    assert 0 < near < far


def test_a_variation_starts_from_the_same_picture(shared: Exact, request_: GenerationRequest) -> None:
    first = from_picture(msgspec.structs.replace(request_, num_inference_steps=6), photo(), 0.7)
    base = run(shared, first)[1].clone()
    same, near, far = (
        run(shared, starting(first, 2, variations=(Variation(seed=9, strength=strength),)))[2].clone()
        for strength in (0.0, 0.2, 1.0)
    )
    assert same.equal(base)
    assert 0 < (near - base).abs().mean() < (far - base).abs().mean()


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [({}, "did not come with the request"), (b"no picture", "cannot be read"), (png(photo())[:-200], "cannot be read")],
)
def test_a_picture_that_is_missing_or_broken_fails_its_job_alone(
    shared: Exact, request_: GenerationRequest, pictures: Any, sentence: str
) -> None:
    request = msgspec.structs.replace(request_, num_inference_steps=3)
    submit = from_picture(request, photo(), 0.5)
    broken = dict.fromkeys(submit.pictures, pictures) if isinstance(pictures, bytes) else pictures
    run(shared, msgspec.structs.replace(submit, pictures=broken), Submit(job_id=2, attempt=1, request=request))
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert sentence in failed.detail
    assert shared.of(Finished, 2)
    assert shared.engine.is_idle


def test_a_job_is_cancelled_while_its_picture_is_encoded(shared: Exact, request_: GenerationRequest) -> None:
    shared.engine.submit(from_picture(request_, photo(), 0.5))
    shared.engine.tick()
    shared.engine.cancel(Cancel(job_id=1, attempt=1))
    shared.engine.run_until_idle()
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.CANCELLED
    assert not shared.of(Finished, 1)


def test_the_processor_draws_the_same_noise_for_a_picture() -> None:
    """Where the device has no room, the same picture must come of it."""
    torch.manual_seed(0)
    vae = Autoencoder(autoencoder(), choose_placement("cpu", "float32"))
    pixels = to_pixels(photo())
    drawn: list[torch.Tensor] = []
    for fallback in ("direct", "cpu"):
        generators = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
        drawn.append(vae.posterior(pixels, fallback).sample(generators, torch.float32))
        assert generators[0].get_state().equal(_after_one_draw(drawn[0]).get_state())
    assert drawn[0].equal(drawn[1])
    mode = vae.encode(pixels)
    assert (drawn[0].mean(0) - mode).abs().mean() < (drawn[0] - mode).abs().mean()
    assert not drawn[0][0].equal(drawn[0][1])


def _after_one_draw(latents: torch.Tensor) -> torch.Generator:
    generator = torch.Generator().manual_seed(3)
    torch.randn((1, *latents.shape[1:]), generator=generator)
    return generator
