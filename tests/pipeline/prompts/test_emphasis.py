"""Emphasis, against what A1111's own documentation of its parser says of each text."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.emphasis import MAX_WEIGHT, Break, Fragment, read_emphasis

TEXTS = {
    "normal text": [("normal text", 1.0)],
    "an (important) word": [("an ", 1.0), ("important", 1.1), (" word", 1.0)],
    "(unbalanced": [("unbalanced", 1.1)],
    "[unbalanced": [("unbalanced", 1 / 1.1)],
    r"\(literal\]": [("(literal]", 1.0)],
    "(unnecessary)(parens)": [("unnecessaryparens", 1.1)],
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).": [
        ("a ", 1.0),
        ("house", 1.573),
        (" ", 1.1),
        ("on", 1.0),
        (" a ", 1.1),
        ("hill", 0.55),
        (", sun, ", 1.1),
        ("sky", 1.4641),
        (".", 1.1),
    ],
    "[less]": [("less", 1 / 1.1)],
    "a ratio of 16:9": [("a ratio of 16:9", 1.0)],
    "(x: .5 )": [("x", 0.5)],
    "(x:-1)": [("x", -1.0)],
    "closed) too ] often": [("closed) too ] often", 1.0)],
    "x:1.3)": [("x:1.3)", 1.0)],
    r"a\b \\ c": [(r"ab \ c", 1.0)],
    r"\{a|b\} \_\_c\_\_": [("{a|b} __c__", 1.0)],
    "(a\\": [("a", 1.1)],
    r"(a\:1.3)": [("a", 1.3)],
    "\\": [],
    "": [],
    "()": [],
    "(x:)": [("x:", 1.1)],
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_what_is_known_of_the_original(text: str, expected: list[tuple[str, float]]) -> None:
    parts = [part for part in read_emphasis(text) if isinstance(part, Fragment)]
    assert [part.text for part in parts] == [words for words, _ in expected]
    assert [part.weight for part in parts] == pytest.approx([weight for _, weight in expected])


def test_a_number_that_is_none_is_words() -> None:
    """A1111 raises here."""
    assert read_emphasis("(x:1.2.3)") == (Fragment("x:1.2.3", 1.1),)


def test_break_stands_between_chunks_whatever_surrounds_it() -> None:
    assert read_emphasis("a BREAK (b BREAK c) BREAKFAST") == (
        Fragment("a", 1.0),
        Break(),
        Fragment("b", 1.1),
        Break(),
        Fragment("c", 1.1),
        Fragment(" BREAKFAST", 1.0),
    )
    assert read_emphasis("BREAK BREAK") == (Break(), Break())


def test_weights_do_not_run_away() -> None:
    assert read_emphasis("(" * 500 + "x") == (Fragment("x", MAX_WEIGHT),)
    assert read_emphasis(f"(x:{'9' * 400})") == (Fragment("x", MAX_WEIGHT),)
    assert read_emphasis("((x:-9):9)") == (Fragment("x", -MAX_WEIGHT),)


@given(st.text(alphabet=r"ab ()[]\:.0123456789-BREAK|<>,", max_size=200))
def test_any_text_is_read(text: str) -> None:
    parts = read_emphasis(text)
    for part in parts:
        if isinstance(part, Fragment):
            assert part.text
            assert math.isfinite(part.weight)
            assert abs(part.weight) <= MAX_WEIGHT
    for one, other in itertools.pairwise(parts):
        if isinstance(one, Fragment) and isinstance(other, Fragment):
            assert one.weight != other.weight


@given(st.text(max_size=200).filter(lambda text: not set(text) & set(r"()[]\:") and "BREAK" not in text))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert "".join(part.text for part in read_emphasis(text) if isinstance(part, Fragment)) == text
