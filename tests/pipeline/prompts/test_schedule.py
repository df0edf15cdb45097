"""Prompts that change, against what A1111's own documentation of its parser says of each text."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.schedule import MAX_DEPTH, Part, read_schedule

TEXTS = {
    "test": [(10, "test")],
    "a [b:3]": [(3, "a "), (10, "a b")],
    "a [b: 3]": [(3, "a "), (10, "a b")],
    "a [[[b]]:2]": [(2, "a "), (10, "a [[b]]")],
    "[(a:2):3]": [(3, ""), (10, "(a:2)")],
    "a [b : c : 1] d": [(1, "a b  d"), (10, "a  c  d")],
    "a[b:[c:d:2]:1]e": [(1, "abe"), (2, "ace"), (10, "ade")],
    "a [unbalanced": [(10, "a [unbalanced")],
    "a [b:.5] c": [(5, "a  c"), (10, "a b c")],
    "((a][:b:c [d:3]": [(3, "((a][:b:c "), (10, "((a][:b:c d")],
    "[gone::4]!": [(4, "gone!"), (10, "!")],
    "[a:b:1.0]": [(10, "a")],
    "[a:b:0]": [(10, "b")],
    "[a:b:-2]": [(10, "b")],
    "[a:b:99]": [(10, "a")],
    "[a:b:5e-1]": [(10, "b")],  # without a point it is a step, and no picture has half a step
    "[a:b:5.0E-1]": [(5, "a"), (10, "b")],
    "[a:b:+2e0]": [(2, "a"), (10, "b")],
    "[a:b:1e999]": [(10, "a")],
    "[a:b:-1.0e999]": [(10, "b")],
    "[a:b:5e]": [(10, "[a:b:5e]")],
    "[less] and (more)": [(10, "[less] and (more)")],
    "[a:b:c:3]": [(10, "[a:b:c:3]")],
    "[a:b]": [(10, "[a:b]")],
    r"\[a:b:3\]": [(10, r"\[a:b:3\]")],
    "[[a:b:2]:c:4]": [(2, "a"), (4, "b"), (10, "c")],
    "[a (b:c:3] [d:e:2]": [(2, "[a (b:c:3] d"), (10, "[a (b:c:3] e")],
    "[a:b:3(c)]": [(10, "[a:b:3(c)]")],
    "[a:b:3[c]]": [(10, "[a:b:3[c]]")],
    "[a (b:1.2):c:0.25]": [(2, "a (b:1.2)"), (10, "c")],
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_what_is_known_of_the_original(text: str, expected: list[tuple[int, str]]) -> None:
    assert read_schedule(text, 10) == tuple(Part(*part) for part in expected)


@pytest.mark.parametrize(
    ("text", "turns"),
    {
        "[a|(b:1.1)]": ["a", "(b:1.1)", "a", "(b:1.1)"],
        "[fe|]male": ["female", "male", "female", "male"],
        "[fe|||]male": ["female", "male", "male", "male"],
        "[a|[b:c:3]]": ["a", "b", "a", "c"],
    }.items(),
)
def test_texts_take_turns(text: str, turns: list[str]) -> None:
    parts = read_schedule(text, 4)
    spoken = [next(part.text for part in parts if step <= part.last_step) for step in range(1, 5)]
    assert spoken == turns


def test_a_change_in_a_picture_of_one_step_has_no_time_to_happen() -> None:
    assert read_schedule("[a:b:0.5]", 1) == (Part(1, "b"),)
    assert read_schedule("[a|b]", 1) == (Part(1, "a"),)


def test_brackets_may_be_as_deep_as_anybody_types() -> None:
    deep = "[" * 1_000 + "a:b:3]" + "]" * 999
    assert [part.last_step for part in read_schedule(deep, 5)] == [3, 5]
    nested = "[" * MAX_DEPTH + "a" + ":2]" * MAX_DEPTH
    assert read_schedule(nested, 5) == (Part(2, ""), Part(5, "a"))


@given(st.text(alphabet=r"ab []()\:|.0123", max_size=120), st.integers(1, 60))
def test_any_text_is_read(text: str, steps: int) -> None:
    parts = read_schedule(text, steps)
    ends = [part.last_step for part in parts]
    assert ends == sorted(set(ends))
    assert ends[0] >= 1
    assert ends[-1] == steps
    assert all(one.text != other.text for one, other in itertools.pairwise(parts))


@given(st.text(max_size=200).filter(lambda text: "]" not in text), st.integers(1, 60))
def test_without_a_closing_bracket_nothing_changes(text: str, steps: int) -> None:
    assert read_schedule(text, steps) == (Part(steps, text),)
