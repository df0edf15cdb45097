"""What a job asks for: the seeds of its images, the steps that are guided."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.protocol.limits import MAX_SEED
from pipeline.protocol.requests import PRIVATE, GenerationRequest, Request, Variation, seed_of

SEEDS = st.integers(0, MAX_SEED)
REQUEST = GenerationRequest(
    prompt="a red apple",
    negative_prompt="",
    num_inference_steps=10,
    guidance_scale=5.0,
    width=64,
    height=64,
    scheduler_name="Euler",
    seed=7,
    num_images=4,
    model_key="pocket",
)
EARLIER = (Variation(seed=10, strength=0.3), Variation(seed=20, strength=0.1))
VARIED = msgspec.structs.replace(REQUEST, variations=(*EARLIER, Variation(seed=30, strength=0.2)))


def test_seeds_count_up_and_begin_anew_after_the_last() -> None:
    assert [seed_of(MAX_SEED - 1, index) for index in range(4)] == [MAX_SEED - 1, MAX_SEED, 0, 1]


def test_an_image_of_its_own_is_drawn_as_it_was_in_its_job() -> None:
    assert REQUEST.single(2) == msgspec.structs.replace(REQUEST, seed=9, num_images=1)
    # A varied picture keeps where it began: its last step counts up.
    assert VARIED.single(2) == msgspec.structs.replace(
        VARIED, num_images=1, variations=(*EARLIER, Variation(seed=32, strength=0.2))
    )


@given(seeds=st.lists(SEEDS, max_size=3), first=SEEDS, index=st.integers(0, 3))
def test_the_seed_that_counts_up_is_that_of_the_image(seeds: list[int], first: int, index: int) -> None:
    variations = tuple(Variation(seed=seed, strength=0.5) for seed in seeds)
    job = msgspec.structs.replace(REQUEST, seed=first, variations=variations)
    assert job.last_seed == (seeds[-1] if seeds else first)
    assert job.single(index).last_seed == seed_of(job.last_seed, index)
    assert job.single(index).single(0) == job.single(index)


@pytest.mark.parametrize(
    ("start", "end", "total", "guided"),
    [
        (0, 1, 4, [1, 2, 3, 4]),
        (0.25, 0.75, 4, [2, 3]),
        (0.2, 0.5, 10, [3, 4, 5]),
        (0.5, 0.5, 10, []),
        (0.3, 1, 3, [1, 2, 3]),
        (0, 0.3, 3, []),
    ],
)
def test_guidance_begins_after_one_part_of_all_steps_and_ends_with_another(
    start: float, end: float, total: int, guided: list[int]
) -> None:
    request = msgspec.structs.replace(REQUEST, guidance_start=start, guidance_end=end)
    assert [step for step in range(1, total + 1) if request.guides(step, total)] == guided


def test_a_request_says_its_kind_and_one_of_before_is_still_read() -> None:
    tagged = msgspec.json.encode(REQUEST)
    assert msgspec.json.decode(tagged, type=dict[str, object])["kind"] == "image"
    before = (
        b'{"prompt":"a red apple","negative_prompt":"","num_inference_steps":10,"guidance_scale":5.0,"width":64,'
        b'"height":64,"scheduler_name":"Euler","seed":7,"num_images":4,"model_key":"pocket","variations":[],'
        b'"upscale":null,"guidance_start":0.0,"guidance_end":1.0,"guidance_rescale":0.0}'
    )
    assert msgspec.json.decode(before, type=Request) == msgspec.json.decode(tagged, type=Request) == REQUEST
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'audio'"):
        msgspec.json.decode(tagged.replace(b'"image"', b'"audio"'), type=Request)


def test_private_fields_have_an_empty_value_of_their_type() -> None:
    assert {name: kind() for name, kind in PRIVATE.items()} == {"prompt": "", "negative_prompt": "", "inputs": ()}


def test_outputs_are_counted_without_knowing_the_kind() -> None:
    assert (REQUEST.output_count, REQUEST.single(1).output_count) == (4, 1)
