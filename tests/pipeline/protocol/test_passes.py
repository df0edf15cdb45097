"""Which passes a request has, for the engine, its price and its expected time alike."""

import msgspec
import pytest

from pipeline.protocol.passes import Pass, passes_of, total_steps
from pipeline.protocol.requests import GenerationRequest, Upscale


def test_a_picture_is_one_pass_of_all_its_steps(request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, num_inference_steps=10, width=96, height=64)
    assert passes_of(request) == (Pass(width=96, height=64, schedule_steps=10, steps=10),)
    resampled = msgspec.structs.replace(request, upscale=Upscale(scale=2, strength=0))
    assert passes_of(resampled) == passes_of(request)


@pytest.mark.parametrize(("steps", "strength", "drawn"), [(10, 0.3, 3), (7, 0.5, 3), (4, 0.1, 1), (10, 1, 10)])
def test_a_second_pass_draws_its_fraction_of_the_steps_and_at_least_one(
    request_: GenerationRequest, steps: int, strength: float, drawn: int
) -> None:
    request = msgspec.structs.replace(
        request_, num_inference_steps=steps, width=96, height=64, upscale=Upscale(scale=3, strength=strength)
    )
    first, second = passes_of(request)
    assert first == Pass(width=96, height=64, schedule_steps=steps, steps=steps)
    assert second == Pass(width=288, height=192, schedule_steps=steps, steps=drawn, is_from_picture=True)
    assert (first.skipped_steps, second.skipped_steps) == (0, steps - drawn)
    assert (second.pixels, total_steps((first, second))) == (9 * first.pixels, steps + drawn)
