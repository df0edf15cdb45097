"""Sums of prompts."""

import pytest

from pipeline.prompts.sums import Term, in_each_term, is_sum, read_sum


@pytest.mark.parametrize(
    ("prompt", "terms", "avoided"),
    [
        ("a cat - a dog", [("a cat - a dog", 1.0)], ()),
        ("=^.^= cat", [("=^.^= cat", 1.0)], ()),
        ("= a cat", [("a cat", 1.0)], ()),
        (" = a red apple - red + blue", [("a red apple", 1.0), ("red", -1.0), ("blue", 1.0)], ()),
        (
            "= a cat \N{MINUS SIGN} dog \N{EN DASH} rat + (a hat:3)",
            [("a cat", 0.5), ("dog", -0.5), ("rat", -0.5), ("a hat", 1.5)],
            (),
        ),
        ("= a well-known cat + (a (big) dog:2)", [("a well-known cat", 0.5), ("(a (big) dog:2)", 0.5)], ()),
        ("= (a cat:3) + (a dog : 1)", [("a cat", 0.75), ("a dog", 0.25)], ()),
        ("= a house - snow", [("a house", 1.0)], ("snow",)),
        ("= a house + a hill - (snow:1.95)", [("a house", 0.5), ("a hill", 0.5)], ("snow",)),
        ("= - snow", [], ("snow",)),
        ("= ", [], ()),
        ("= + a cat - (fog:0)", [("a cat", 1.0)], ()),
    ],
)
def test_terms_are_divided_by_their_sum(prompt: str, terms: list[tuple[str, float]], avoided: tuple[str, ...]) -> None:
    found = read_sum(prompt)
    assert [(term.words, term.weight) for term in found.terms] == terms
    assert found.avoided == avoided


def test_a_sum_without_what_is_avoided_is_read_again_as_itself() -> None:
    found = read_sum("= a house + (a hill:3) - (snow:4)")
    assert read_sum(found.prompt).terms == found.terms == (Term("a house", 0.25), Term("a hill", 0.75))
    assert read_sum("= a house - snow").prompt == "a house"
    assert not is_sum("a house")


def test_each_term_is_changed_and_its_sign_stays() -> None:
    assert in_each_term("= a cat - (b:2) + c", lambda words: f"{words}, ink") == "= a cat, ink - (b, ink:2) + c, ink"
    assert in_each_term("a - b", lambda words: f"{words}!") == "a - b!"
