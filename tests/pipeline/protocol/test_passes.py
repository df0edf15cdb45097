"""Which passes a request has, for the engine, its price and its expected time alike."""

import msgspec
import pytest

from pipeline.protocol.catalogue.models import FAMILY_FACTS
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.passes import Pass, passes_of, total_steps
from pipeline.protocol.requests import GenerationRequest, Upscale

USUAL = FAMILY_FACTS["sd"]


def test_a_picture_is_one_pass_of_all_its_steps(request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, num_inference_steps=10, width=96, height=64)
    assert passes_of(request, USUAL) == (
        Pass(width=96, height=64, schedule_steps=10, steps=10, guidance_scale=request.guidance_scale),
    )
    resampled = msgspec.structs.replace(request, upscale=Upscale(scale=2, strength=0))
    assert passes_of(resampled, USUAL) == passes_of(request, USUAL)


@pytest.mark.parametrize(("steps", "strength", "drawn"), [(10, 0.3, 3), (7, 0.5, 3), (4, 0.1, 1), (10, 1, 10)])
def test_a_second_pass_draws_its_fraction_of_the_steps_and_at_least_one(
    request_: GenerationRequest, steps: int, strength: float, drawn: int
) -> None:
    request = msgspec.structs.replace(
        request_, num_inference_steps=steps, width=96, height=64, upscale=Upscale(scale=3, strength=strength)
    )
    first, second = passes_of(request, USUAL)
    assert first == Pass(width=96, height=64, schedule_steps=steps, steps=steps, guidance_scale=request.guidance_scale)
    assert second == Pass(
        width=288,
        height=192,
        schedule_steps=steps,
        steps=drawn,
        is_from_picture=True,
        guidance_scale=request.guidance_scale,
    )
    assert (first.skipped_steps, second.skipped_steps) == (0, steps - drawn)
    assert (second.pixels, total_steps((first, second))) == (9 * first.pixels, steps + drawn)


@pytest.mark.parametrize(("most", "guidance"), [(None, 6.0), (1.0, 1.0), (3.0, 3.0), (9.0, 6.0)])
def test_a_second_pass_is_guided_at_most_as_its_upscale_says(
    request_: GenerationRequest, most: float | None, guidance: float
) -> None:
    upscale = Upscale(scale=2, strength=0.5, guidance_scale=most)
    first, second = passes_of(msgspec.structs.replace(request_, guidance_scale=6.0, upscale=upscale), USUAL)
    assert (first.guidance_scale, second.guidance_scale) == (6.0, guidance)


@pytest.mark.parametrize(
    ("steps", "strength", "down", "up"),
    [
        (20, 0.33, 6, 7),
        (8, 0.3, 2, 3),
        (4, 0.2, 1, 1),
        (50, 0.58, 28, 29),  # the product is a little less than 29
        (10, 0.5, 5, 5),
        (10, 1.0, 10, 10),
    ],
)
@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3"])
def test_an_init_image_leaves_as_many_steps_as_in_diffusers(
    request_: GenerationRequest, family: Family, steps: int, strength: float, down: int, up: int
) -> None:
    init_image = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=strength)
    request = msgspec.structs.replace(request_, num_inference_steps=steps, inputs=(init_image,))
    drawn = up if family == "sd3" else down
    (first,) = passes_of(request, FAMILY_FACTS[family])
    assert first == Pass(
        width=request.width,
        height=request.height,
        schedule_steps=steps,
        steps=drawn,
        is_from_picture=True,
        guidance_scale=request.guidance_scale,
    )
    larger = msgspec.structs.replace(request, upscale=Upscale(scale=2, strength=strength))
    second = passes_of(larger, FAMILY_FACTS[family])[1]
    assert second.steps == down
