"""The engine against diffusers' own, unmodified pipeline, in float64: the same latents for the same inputs."""

from typing import Any

import msgspec
import pytest

from config.catalogue import Catalogue
from pipeline.protocol.messages import Finished, Progress
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers import SAMPLERS
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.reference import DIFFUSION_SAMPLERS, TOLERANCE, final_latents


@pytest.mark.parametrize(("guidance_scale", "negative"), [(1.0, ""), (7.0, "red, rain")])
@pytest.mark.parametrize("scheduler_name", DIFFUSION_SAMPLERS)
def test_latents_equal_diffusers(
    studio: Studio,
    reference: Any,
    request_: GenerationRequest,
    scheduler_name: str,
    guidance_scale: float,
    negative: str,
) -> None:
    request = msgspec.structs.replace(
        request_,
        scheduler_name=scheduler_name,
        guidance_scale=guidance_scale,
        negative_prompt=negative,
        num_inference_steps=5,
        num_images=2,
    )
    difference = (studio.draw(request) - final_latents(reference, request)).abs().max().item()
    assert difference <= TOLERANCE


def test_another_seed_prompt_or_guidance_gives_other_latents(studio: Studio, request_: GenerationRequest) -> None:
    base = studio.draw(request_)
    for change in ({"seed": 8}, {"prompt": "a blue car"}, {"guidance_scale": 2.0}, {"negative_prompt": "red"}):
        other = studio.draw(msgspec.structs.replace(request_, **change))
        assert (other - base).abs().max().item() > 1e-3


@pytest.mark.parametrize("scheduler_name", sorted(name for name, found in SAMPLERS.items() if found.is_stochastic))
def test_each_image_of_a_job_can_be_drawn_alone(
    studio: Studio, request_: GenerationRequest, scheduler_name: str
) -> None:
    request = msgspec.structs.replace(request_, scheduler_name=scheduler_name)
    together = studio.draw(msgspec.structs.replace(request, num_images=3))
    for index in (0, 2):
        alone = msgspec.structs.replace(request, seed=request.seed + index)
        assert (studio.draw(alone)[0] - together[index]).abs().max().item() <= TOLERANCE


def test_a_job_is_told_step_by_step_and_ends_once(catalogue: Catalogue, request_: GenerationRequest) -> None:
    studio = Studio(catalogue)
    studio.draw(msgspec.structs.replace(request_, scheduler_name="Heun", prompt="word " * 400))
    studio.engine.close()
    steps = [event.step for event in studio.events if isinstance(event, Progress) and event.phase == "running"]
    assert steps == [0, 1, 2, 3, 4]
    (finished,) = [event for event in studio.events if isinstance(event, Finished)]
    assert studio.events[-1] is finished
    assert [notice.key for notice in finished.notices] == ["notice-prompt-cut"]
    assert (finished.images[0].width, finished.images[0].seed) == (256, 7)
