"""Options typed in the prompt."""

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from bot.errors import Refused
from bot.jobs.given import GivenRequest, read_typed_options


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat", GivenRequest(prompt="a cat")),
        ("a cat --no dogs, rain", GivenRequest(prompt="a cat", negative_prompt="dogs, rain")),
        ("a --no x --no y, z", GivenRequest(prompt="a", negative_prompt="x, y, z")),
        ("a cat --ar 16:9", GivenRequest(prompt="a cat", size="16:9")),
        ("a cat --ar16:9 sleeping", GivenRequest(prompt="a cat sleeping", size="16:9")),
        (
            "a --seed 7 --steps 30 --cfg 6.5",
            GivenRequest(prompt="a", seed=7, num_inference_steps=30, guidance_scale=6.5),
        ),
        ("a —seed 7", GivenRequest(prompt="a", seed=7)),
        ("now—no more", GivenRequest(prompt="now—no more")),
        ("a —word", GivenRequest(prompt="a —word")),
        ("a--no b", GivenRequest(prompt="a--no b")),
        ("a -- b", GivenRequest(prompt="a -- b")),
        ("a --SEED 3", GivenRequest(prompt="a", seed=3)),
    ],
)
def test_typed_options_move_out_of_the_prompt(prompt: str, expected: GivenRequest) -> None:
    assert read_typed_options(GivenRequest(prompt=prompt)) == (expected, ())


def test_an_option_of_the_form_wins_and_negatives_are_added_up() -> None:
    given, _ = read_typed_options(GivenRequest(prompt="a --seed 7 --no rain", seed=1, negative_prompt="fog"))
    assert (given.seed, given.negative_prompt) == (1, "fog, rain")


def test_an_unknown_option_is_left_out_and_told() -> None:
    given, notices = read_typed_options(GivenRequest(prompt="cat --stylize 50 on a mat --tile"))
    assert given.prompt == "cat on a mat"
    assert [notice.values for notice in notices] == [{"options": "--stylize 50, --tile"}]


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("a --seed many", "refused-typed-number"),
        ("a --seed", "refused-typed-number"),
        ("a --steps 1e9", "refused-typed-number"),
        ("a --cfg nan", "refused-typed-number"),
        ("a --cfg " + "9" * 5000, "refused-typed-number"),
        ("a --ar 16:0", "refused-ratio"),
        ("a --ar wide", "refused-ratio"),
    ],
)
def test_what_is_no_number_or_ratio_is_refused(prompt: str, key: str) -> None:
    with pytest.raises(Refused) as refused:
        read_typed_options(GivenRequest(prompt=prompt))
    assert refused.value.key == key


@examples(st.text(max_size=200))
def test_any_text_is_read_or_refused(prompt: str) -> None:
    try:
        given, _ = read_typed_options(GivenRequest(prompt=prompt))
    except Refused:
        return
    assert len(given.prompt) <= len(prompt)
