"""Edits of InstructPix2Pix: the latents of diffusers' pipelines, in a batch with other people's jobs."""

from typing import Any

import msgspec
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_instruct_pix2pix import (
    StableDiffusionInstructPix2PixPipeline,
)
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_instruct_pix2pix import (
    StableDiffusionXLInstructPix2PixPipeline,
)
from PIL import Image

from pipeline.images.decode import fitted
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Failed, Finished, Progress, Submit
from tests.pipeline.engine.given_pictures import editing, from_picture, photo
from tests.pipeline.engine.reference import TOLERANCE
from tests.pipeline.engine.scenes import Scene
from tests.pipeline.engine.test_batching import Shared as Exact
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion

PIPELINES: dict[Family, Any] = {
    "sd": StableDiffusionInstructPix2PixPipeline,
    "sdxl": StableDiffusionXLInstructPix2PixPipeline,
}
SIZE = 64, 80
SCALES = {0.55: 1.5, 1.0: 1.0, 0.1: 2.0}
"""Image guidance by the strength of an edit."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[Family, Scene]:
    return {
        family: Scene.of(family, tmp_path_factory.mktemp("model"), edits=True, in_channels=8) for family in PIPELINES
    }


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=SIZE[0], height=SIZE[1], num_inference_steps=5)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_an_edit_has_the_latents_of_diffusers_in_a_batch_of_other_edits(
    scenes: dict[Family, Scene], tiny_request: GenerationRequest, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = scenes[family]
    submits: list[Submit] = []
    wanted: dict[int, tuple[Image.Image, float]] = {}
    for number, name in enumerate(["Euler", "Euler a", "Heun", "DPM++ 2M Karras", "DDIM", "UniPC"]):
        request = msgspec.structs.replace(
            tiny_request,
            scheduler_name=name,
            seed=100 * number,
            num_images=1 + number % 2,
            guidance_scale=(6.0, 1.0, 3.0)[number % 3],
            negative_prompt=("", "red, rain")[number % 2],
        )
        strength, image_guidance = [*SCALES.items()][number % len(SCALES)]
        wanted[number] = photo(100, 90, number), image_guidance
        submits.append(editing(request, wanted[number][0], strength, number))
    latents = scene.mixed.draw(submits, monkeypatch)
    for submit in submits:
        request, (picture, image_guidance) = narrowed(submit.request, GenerationRequest), wanted[submit.job_id]
        images = [fitted(picture, *SIZE)] * request.num_images
        expected = scene.expected(PIPELINES[family], submit, image=images, image_guidance_scale=image_guidance)
        difference = (latents[submit.job_id] - expected).abs().max().item()
        assert difference <= TOLERANCE, (submit.request, difference)


def test_the_strength_says_how_much_the_words_may_change(tiny_request: GenerationRequest) -> None:
    for strength, image_guidance in SCALES.items():
        request = narrowed(editing(tiny_request, photo(), strength).request, GenerationRequest)
        assert request.image_guidance == pytest.approx(image_guidance)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Exact:
    folder = tmp_path_factory.mktemp("model")
    stable_diffusion(in_channels=8).save_pretrained(folder)
    return Exact(catalogue_of(folder, "sd", key="pocket", edits=True))


@pytest.fixture
def shared(loaded: Exact, monkeypatch: pytest.MonkeyPatch) -> Exact:
    loaded.watch(monkeypatch)
    return loaded


def run(shared: Exact, *submits: Submit) -> dict[int, torch.Tensor]:
    for submit in submits:
        shared.engine.submit(submit)
    shared.engine.run_until_idle()
    return shared.latents


@pytest.fixture
def like(tiny_request: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(tiny_request, model_key="pocket")


def test_mates_change_no_bit_and_each_image_can_be_drawn_alone(shared: Exact, like: GenerationRequest) -> None:
    two = editing(msgspec.structs.replace(like, num_images=2, scheduler_name="Euler a"), photo(), 0.5)
    others = [
        editing(msgspec.structs.replace(like, seed=seed, guidance_scale=scale), photo(seed=seed), 0.9, seed)
        for seed, scale in ((2, 1.0), (3, 6.0))
    ]
    alone = run(shared, two)[1].clone()
    together = run(shared, *others, msgspec.structs.replace(two, job_id=4))
    assert together[4].equal(alone)
    assert not alone[0].equal(alone[1])
    single = narrowed(two.request, GenerationRequest).single(1)
    assert run(shared, msgspec.structs.replace(two, job_id=5, request=single))[5][0].equal(alone[1])
    other = editing(narrowed(two.request, GenerationRequest), photo(seed=9), 0.5, 6)
    assert not run(shared, other)[6].equal(alone), "the picture has no effect"


@pytest.mark.parametrize("has_start", [False, True])
def test_without_a_picture_to_edit_the_job_fails_alone(
    shared: Exact, like: GenerationRequest, *, has_start: bool
) -> None:
    submit = from_picture(like, photo(), 0.5)
    wrong = submit if has_start else Submit(job_id=1, attempt=1, request=like)
    run(shared, wrong, editing(like, photo(), 0.5, 2))
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert ("init-image" if has_start else "text-to-image") in failed.detail
    assert shared.of(Finished, 2)
    assert [event.total_steps for event in shared.of(Progress, 2)] == [5] * 6
