"""The prompt language in the engine, against diffusers with embeddings made by hand, in float64."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
import torch

from pipeline.engine.families.clip_text import MAX_CHUNKS, ClipText
from pipeline.engine.sampling.schedulers import build_scheduler
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import SAMPLERS
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.pixels.test_image_check import PLACEMENT

TOLERANCE = 1e-8


def encoded(reference: Any, *texts: str) -> torch.Tensor:
    """Texts of at most 75 tokens as chunks one after the other, [1, 77 * n, features]."""
    rows = [reference.tokenizer(text, padding="max_length", return_tensors="pt").input_ids for text in texts]
    with torch.inference_mode():
        return torch.cat([reference.text_encoder(row)[0] for row in rows], dim=1)


def drawn(
    reference: Any, request: GenerationRequest, positive: torch.Tensor, negative: torch.Tensor, **more: Any
) -> torch.Tensor:
    """What diffusers draws with these embeddings."""
    sampler = SAMPLERS[request.scheduler_name]
    generator = torch.Generator().manual_seed(request.seed)
    reference.scheduler = build_scheduler(
        sampler, reference.own_scheduler_config, request.num_inference_steps, [generator]
    )
    return reference(
        prompt_embeds=positive,
        negative_prompt_embeds=negative,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        height=request.height,
        width=request.width,
        generator=generator,
        output_type="latent",
        **more,
    ).images


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return (one - other).abs().max().item()


def test_chunks_are_encoded_alone_and_joined(studio: Studio, reference: Any, request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, prompt="a red apple BREAK a blue star", negative_prompt="rain")
    expected = drawn(
        reference, request, encoded(reference, "a red apple", "a blue star"), encoded(reference, "rain", "")
    )
    assert difference(studio.draw(request), expected) <= TOLERANCE


def test_a_weight_multiplies_and_the_mean_of_its_chunk_stays(
    studio: Studio, reference: Any, request_: GenerationRequest
) -> None:
    request = msgspec.structs.replace(request_, prompt="a (red:1.4) apple")
    plain = encoded(reference, "a red apple")
    weights = torch.ones(1, 77, 1, dtype=torch.float64)
    weights[0, 2] = 1.4  # after the start and "a"
    weighted = plain * weights
    ratio = plain.mean() / weighted.mean()
    if not 0.5 <= ratio <= 2:
        ratio = torch.ones(())
    expected = drawn(reference, request, weighted * ratio, encoded(reference, ""))
    assert difference(studio.draw(request), expected) <= TOLERANCE
    assert difference(expected, studio.draw(msgspec.structs.replace(request, prompt="a red apple"))) > 1e-3


@pytest.mark.parametrize("scheduler_name", ["Euler", "Heun"])
def test_a_prompt_changes_after_its_step(
    studio: Studio, reference: Any, request_: GenerationRequest, scheduler_name: str
) -> None:
    request = msgspec.structs.replace(
        request_, prompt="[a red apple:a blue star:2]", num_inference_steps=5, scheduler_name=scheduler_name
    )
    negative, after = encoded(reference, ""), encoded(reference, "a blue star")
    per_step = SAMPLERS[scheduler_name].evaluations_per_step

    def change(pipeline: Any, evaluation: int, timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        del pipeline, timestep
        return {"prompt_embeds": torch.cat([negative, after])} if evaluation + 1 == 2 * per_step else given

    expected = drawn(
        reference,
        request,
        encoded(reference, "a red apple"),
        negative,
        callback_on_step_end=change,
        callback_on_step_end_tensor_inputs=["prompt_embeds"],
    )
    assert difference(studio.draw(request), expected) <= TOLERANCE


def test_turns_and_tags_reach_the_picture(studio: Studio, request_: GenerationRequest) -> None:
    plain = studio.draw(request_)
    tagged = msgspec.structs.replace(request_, prompt="<hypernet:fur:1>a red apple")
    assert difference(studio.draw(tagged), plain) == 0
    finished = studio.pictures(tagged)
    (notice,) = finished.notices
    assert (notice.key, notice.values) == ("notice-tags-ignored", {"tags": "<hypernet:fur:1>"})
    turns = studio.draw(msgspec.structs.replace(request_, prompt="a red [apple|star]"))
    assert difference(turns, plain) > 1e-3
    assert difference(turns, studio.draw(msgspec.structs.replace(request_, prompt="a red star"))) > 1e-3


def test_text_is_encoded_once_and_kept_within_bounds(reference: Any) -> None:
    text = ClipText(reference.tokenizer, reference.text_encoder, PLACEMENT)
    calls: list[int] = []
    hook = reference.text_encoder.register_forward_hook(lambda *_: calls.append(1))
    try:
        first = text.encode(text.chunks("a red apple").chunks, 2)
        assert len(calls) == 2
        assert text.encode(text.chunks("a red apple").chunks, 2).equal(first)
        assert not text.encode(text.chunks("a (red:2) apple").chunks, 2).equal(first)
        assert len(calls) == 2, "weights need no encoding of their own"
        for number in range(260):
            text.encode(text.chunks(f"{number} apples").chunks, 1)
        assert len(text._known) <= 256
    finally:
        hook.remove()
    assert text.encode(text.chunks("word " * 700).chunks, MAX_CHUNKS).shape[1] == MAX_CHUNKS * 77


def joined(reference: Any, request: GenerationRequest, concepts: Sequence[tuple[str, float]]) -> torch.Tensor:
    """What comes of u + scale x sum(weight x (c - u)), computed with diffusers' U-Net and Euler alone."""
    generator = torch.Generator().manual_seed(request.seed)
    sampler = SAMPLERS[request.scheduler_name]
    scheduler = build_scheduler(sampler, reference.own_scheduler_config, request.num_inference_steps, [generator])
    texts = torch.cat([encoded(reference, words) for words in ("", *(words for words, _ in concepts))])
    shape = (1, 4, request.height // 4, request.width // 4)
    latents = torch.randn(shape, generator=generator, dtype=torch.float64) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        given = scheduler.scale_model_input(latents, timestep).expand(len(texts), -1, -1, -1)
        with torch.inference_mode():
            nothing, *parts = reference.unet(given, timestep, encoder_hidden_states=texts).sample.split(1)
        guided = nothing + request.guidance_scale * sum(
            weight * (part - nothing) for part, (_, weight) in zip(parts, concepts, strict=True)
        )
        latents = scheduler.step(guided, timestep, latents).prev_sample
    return latents


@pytest.mark.parametrize("cfg", [5.0, 1.0])
def test_concepts_guide_with_their_weights(
    studio: Studio, reference: Any, request_: GenerationRequest, cfg: float
) -> None:
    request = msgspec.structs.replace(request_, prompt="a red apple AND a blue star :-0.5", guidance_scale=cfg)
    expected = joined(reference, request, [("a red apple", 1.0), ("a blue star", -0.5)])
    assert difference(studio.draw(request), expected) <= TOLERANCE
    assert difference(expected, studio.draw(msgspec.structs.replace(request, prompt="a red apple"))) > 1e-3


def test_a_concept_of_weight_zero_changes_no_bit(studio: Studio, request_: GenerationRequest) -> None:
    plain = studio.draw(request_)
    assert studio.draw(msgspec.structs.replace(request_, prompt="a red apple AND a blue star :0")).equal(plain)
    half = studio.draw(msgspec.structs.replace(request_, prompt="a red apple :0.5 AND snow :0"))
    lower = msgspec.structs.replace(request_, guidance_scale=request_.guidance_scale / 2)
    assert difference(half, studio.draw(lower)) <= TOLERANCE


def test_a_sum_adds_up_its_terms_token_by_token(studio: Studio, reference: Any, request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, prompt="= a red apple - red + (a blue star:2)")
    apple, red, star = (encoded(reference, words) for words in ("a red apple", "red", "a blue star"))
    expected = drawn(reference, request, (apple - red + 2 * star) / 2, encoded(reference, ""))
    assert difference(studio.draw(request), expected) <= TOLERANCE
    plain = studio.draw(request_)
    assert studio.draw(msgspec.structs.replace(request_, prompt=f"= {request_.prompt}")).equal(plain)
    back = msgspec.structs.replace(request_, prompt=f"= {request_.prompt} - snow + snow")
    assert difference(studio.draw(back), plain) <= TOLERANCE


def test_terms_of_a_sum_are_padded_to_the_longest(studio: Studio, reference: Any, request_: GenerationRequest) -> None:
    request = msgspec.structs.replace(request_, prompt="= a red apple + snow BREAK ice", negative_prompt="rain")
    longer = encoded(reference, "snow", "ice"), encoded(reference, "a red apple", ""), encoded(reference, "rain", "")
    expected = drawn(reference, request, (longer[0] + longer[1]) / 2, longer[2])
    assert difference(studio.draw(request), expected) <= TOLERANCE
