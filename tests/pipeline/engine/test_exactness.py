"""The engine against diffusers' own, unmodified pipeline, in float64: the same latents for the same inputs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
import torch

from bot.quotas.pricing import rows as rows_of
from config.catalogue import Catalogue
from pipeline.engine.steps.batching import forwards
from pipeline.engine.steps.jobs.rows import Row, predict_rows
from pipeline.protocol.requests import GenerationRequest, Upscale, narrowed
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.wire.messages import Finished, Progress
from pipeline.protocol.wire.outputs import ImageFile
from tests.pipeline.engine.conftest import Beside, Studio
from tests.pipeline.engine.reference import DIFFUSION_SAMPLERS, TOLERANCE, final_latents


@pytest.mark.parametrize(
    ("scheduler_name", "guidance_scale", "negative"),
    [
        *((name, 7.0, "red, rain") for name in DIFFUSION_SAMPLERS),
        *((name, 1.0, "") for name in DIFFUSION_SAMPLERS[::3]),  # a sampler gets one prediction in both cases
    ],
)
def test_latents_equal_diffusers(
    tiny: Beside, request_: GenerationRequest, scheduler_name: str, guidance_scale: float, negative: str
) -> None:
    request = msgspec.structs.replace(
        request_,
        model_key="tiny",
        scheduler_name=scheduler_name,
        guidance_scale=guidance_scale,
        negative_prompt=negative,
        num_inference_steps=5,
        num_images=2,
    )
    difference = (tiny.studio.draw(request) - final_latents(tiny.reference, request)).abs().max().item()
    assert difference <= TOLERANCE


@pytest.mark.parametrize("scheduler_name", ["DPM++ 2M Karras", "DPM2 a", "Euler"])
def test_latents_of_the_shipped_model_equal_diffusers(
    shipped: Beside, request_: GenerationRequest, scheduler_name: str
) -> None:
    request = msgspec.structs.replace(
        request_, scheduler_name=scheduler_name, negative_prompt="red, rain", num_images=2
    )
    difference = (shipped.studio.draw(request) - final_latents(shipped.reference, request)).abs().max().item()
    assert difference <= TOLERANCE


def test_rescaled_guidance_equals_diffusers(studio: Studio, reference: Any, request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, guidance_scale=9.0, guidance_rescale=0.7, num_images=2)
    expected = final_latents(reference, request, guidance_rescale=0.7)
    assert (studio.draw(request) - expected).abs().max().item() <= TOLERANCE
    plain = studio.draw(msgspec.structs.replace(request, guidance_rescale=0.0))
    assert (plain - expected).abs().max().item() > 1e-3


def test_guidance_that_ends_equals_diffusers_and_saves_rows(
    studio: Studio, reference: Any, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """diffusers' own way to end guidance: a callback that takes the unconditional rows away."""
    request = msgspec.structs.replace(request_, num_inference_steps=8, guidance_end=0.5)
    counts: list[int] = []

    def counted(adapter: Any, rows: Any, count: int, *rest: Any) -> list[torch.Tensor]:
        counts.append(len(rows))
        return predict_rows(adapter, rows, count, *rest)

    def end(pipeline: Any, step: int, _: Any, given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        if step + 1 == 4:
            pipeline._guidance_scale = 0.0
            given["prompt_embeds"] = given["prompt_embeds"].chunk(2)[1]
        return given

    monkeypatch.setattr(forwards, "predict_rows", counted)
    expected = final_latents(
        reference, request, callback_on_step_end=end, callback_on_step_end_tensor_inputs=["prompt_embeds"]
    )
    assert (studio.draw(request) - expected).abs().max().item() <= TOLERANCE
    assert counts == [2, 2, 2, 2, 1, 1, 1, 1]


@pytest.mark.parametrize("scheduler_name", ["Euler", "Heun"])
def test_what_is_priced_is_what_is_drawn(
    tiny: Beside, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch, scheduler_name: str
) -> None:
    request = msgspec.structs.replace(
        request_,
        model_key="tiny",
        scheduler_name=scheduler_name,
        num_inference_steps=7,
        num_images=2,
        guidance_start=0.2,
        guidance_end=0.7,
        upscale=Upscale(scale=2, strength=0.5),
    )
    counts: Counter[int] = Counter()

    def counted(adapter: Any, rows: Sequence[Row], count: int, *rest: Any) -> list[torch.Tensor]:
        for row in rows:
            counts[row.latents.shape[3]] += 1
        return predict_rows(adapter, rows, count, *rest)

    monkeypatch.setattr(forwards, "predict_rows", counted)
    tiny.studio.draw(request)
    small, large = sorted(counts)
    assert large == 2 * small
    assert rows_of(request) == counts[small] + 4 * counts[large]


def test_another_seed_prompt_or_guidance_gives_other_latents(studio: Studio, request_: GenerationRequest) -> None:
    base = studio.draw(request_)
    for change in ({"seed": 8}, {"prompt": "a blue car"}, {"guidance_scale": 2.0}, {"negative_prompt": "red"}):
        other = studio.draw(msgspec.structs.replace(request_, **change))
        assert (other - base).abs().max().item() > 1e-3


@pytest.mark.parametrize("scheduler_name", sorted(name for name, found in SAMPLERS.items() if found.is_stochastic))
def test_each_image_of_a_job_can_be_drawn_alone(tiny: Beside, request_: GenerationRequest, scheduler_name: str) -> None:
    studio = tiny.studio
    request = msgspec.structs.replace(request_, model_key="tiny", scheduler_name=scheduler_name)
    together = studio.draw(msgspec.structs.replace(request, num_images=3))
    for index in (0, 2):
        alone = msgspec.structs.replace(request, seed=request.seed + index)
        assert (studio.draw(alone)[0] - together[index]).abs().max().item() <= TOLERANCE


@pytest.mark.parametrize("scheduler_name", ["Heun", "PLMS"])
def test_a_job_is_told_step_by_step_and_ends_once(
    small_catalogue: Catalogue, request_: GenerationRequest, scheduler_name: str
) -> None:
    studio = Studio(small_catalogue)
    studio.draw(msgspec.structs.replace(request_, scheduler_name=scheduler_name, prompt="word " * 400))
    studio.engine.close()
    steps = [event.step for event in studio.events if isinstance(event, Progress) and event.phase == "running"]
    assert steps == [0, 1, 2, 3, 4]
    (finished,) = [event for event in studio.events if isinstance(event, Finished)]
    assert studio.events[-1] is finished
    assert [notice.key for notice in finished.notices] == ["notice-prompt-cut"]
    image = narrowed(finished.outputs[0], ImageFile)
    assert (image.width, image.seed) == (256, 7)
