"""Whole pipelines of diffusers, taken step by step."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import torch
from diffusers.pipelines.pixart_alpha.pipeline_pixart_sigma import PixArtSigmaPipeline

from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import InvalidRequest, ModelUnavailable
from pipeline.engine.families.any_pipeline import AnyPipeline
from pipeline.engine.sampling.latents import generators_for
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.tiny import latent_consistency, pixart_sigma

PLACEMENT = choose_placement("cpu", "float32")


@pytest.fixture(scope="module", params=[latent_consistency, pixart_sigma])
def pipeline(request: pytest.FixtureRequest) -> Any:
    build: Callable[[], Any] = request.param
    built = build()
    built.set_progress_bar_config(disable=True)
    return built


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, height=80, num_images=2, num_inference_steps=3)


def _reads_negatives(pipeline: Any) -> bool:
    return isinstance(pipeline, PixArtSigmaPipeline)


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "whole-pipeline"]


def test_the_pictures_are_those_of_one_call(pipeline: Any, tiny_request: GenerationRequest) -> None:
    run = AnyPipeline(pipeline, PLACEMENT).begin(tiny_request, generators_for(tiny_request))
    seen: list[int] = []
    while run.advance():
        seen.append(run.steps_done)
        assert run.latents is not None
        assert run.pictures is None
        # Whatever the loop computes in between leaves no trace.
        torch.randn(8)
    assert seen == [1, 2, 3]
    more = {"use_resolution_binning": False} if _reads_negatives(pipeline) else {}
    expected = pipeline(
        prompt=tiny_request.prompt,
        num_inference_steps=3,
        guidance_scale=tiny_request.guidance_scale,
        height=80,
        width=64,
        num_images_per_prompt=2,
        generator=generators_for(tiny_request),
        output_type="pt",
        **more,
    ).images
    assert run.pictures is not None
    assert run.pictures.shape == (2, 3, 80, 64)
    assert (run.pictures - expected).abs().max().item() < 1e-5
    assert not run.advance()
    assert not _threads()


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_closed_run_ends_where_it_stands_and_leaves_nothing(
    pipeline: Any, tiny_request: GenerationRequest, steps: int
) -> None:
    whole = AnyPipeline(pipeline, PLACEMENT)
    run = whole.begin(tiny_request, generators_for(tiny_request))
    for _ in range(steps):
        assert run.advance()
    latents = None if run.latents is None else weakref.ref(run.latents)
    run.close()
    run.close()
    assert not run.advance()
    assert run.pictures is None
    assert not _threads()
    gc.collect()
    assert latents is None or latents() is None
    again = whole.begin(tiny_request, generators_for(tiny_request))
    while again.advance():
        pass
    assert again.pictures is not None


def test_what_a_pipeline_refuses_is_a_sentence_where_it_is_awaited(
    pipeline: Any, tiny_request: GenerationRequest
) -> None:
    whole = AnyPipeline(pipeline, PLACEMENT)
    broken = msgspec.structs.replace(tiny_request, width=65)
    run = whole.begin(broken, generators_for(broken))
    with pytest.raises(InvalidRequest, match=f"A {type(pipeline).__name__} refuses this: .* divisible by 8"):
        run.advance()
    assert run.is_over
    assert not _threads()
    whole.begin(tiny_request, generators_for(tiny_request)).close()


def test_only_what_a_pipeline_takes_is_passed_and_the_rest_is_told(
    pipeline: Any, tiny_request: GenerationRequest
) -> None:
    request = msgspec.structs.replace(tiny_request, prompt="<lora:fur:1>a red apple", negative_prompt="rain")
    run = AnyPipeline(pipeline, PLACEMENT).begin(request, generators_for(request))
    keys = [notice.key for notice in run.notices]
    unread = [] if _reads_negatives(pipeline) else ["notice-negative-unused"]
    assert keys == ["notice-tags-ignored", *unread]
    while run.advance():
        pass
    assert run.pictures is not None


def test_two_runs_of_one_pipeline_do_not_mix(pipeline: Any, tiny_request: GenerationRequest) -> None:
    whole = AnyPipeline(pipeline, PLACEMENT)
    run = whole.begin(tiny_request, generators_for(tiny_request))
    with pytest.raises(AssertionError, match="Two runs"):
        whole.begin(tiny_request, generators_for(tiny_request))
    run.close()


def test_a_pipeline_that_wants_a_picture_is_refused() -> None:
    class Inpainting:
        def __call__(self, prompt: str, image: Any) -> None: ...

    with pytest.raises(ModelUnavailable, match="Inpainting wants more than a prompt"):
        AnyPipeline(Inpainting(), PLACEMENT)
