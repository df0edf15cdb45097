"""Weights as Midjourney, NovelAI and A1111's AND write them, and what else of others' languages is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.emphasis import Fragment, read_emphasis
from pipeline.prompts.neighbors import find_signs, read_weights


@pytest.mark.parametrize(
    ("prompt", "read", "avoided"),
    [
        ("red apple::2 green pear::1", "(red apple:2), green pear", ()),
        ("red apple::2 green pear", "(red apple:2), green pear", ()),
        ("hot:: dog", "hot, dog", ()),
        ("hot::dog::", "hot, dog", ()),
        ("a, b::1.5, c", "(a, b:1.5), c", ()),
        ("a::.25 b", "(a:0.25), b", ()),
        ("a::1.23456 b", "(a:1.235), b", ()),
        ("a::1000 b", "(a:10), b", ()),
        ("a::0.00001 b", "(a:0), b", ()),
        ("a::0 b", "(a:0), b", ()),
        ("Xray::2 taX", "(Xray:2), taX", ()),
        ("tulips:: red::-.5", "tulips", ("red",)),
        ("tulips:: red::-1", "tulips", ("(red:2)",)),
        ("1.5::red apple::, pear", "(red apple:1.5), pear", ()),
        ("a, -1::red::, pear", "a, pear", ("(red:2)",)),
        ("[gone::4] [a::0.5]", "[gone::4] [a::0.5]", ()),
        ("(a, [b::2] c:1.2)::2 d", "((a, [b::2] c:1.2):2), d", ()),
        (":( a::2 b", "(:( a:2), b", ()),
        ("ratio 16:9, std", "ratio 16:9, std", ()),
        ("a cat AND a dog", "a cat and a dog", ()),
        ("a cat :1.2 AND a dog AND a hat:.5", "(a cat:1.2) and a dog and (a hat:0.5)", ()),
        ("a clock at 10:30 AND a cat", "a clock at 10:30 and a cat", ()),
        ("a cat AND rain :-1", "a cat", ("rain",)),
        ("a cat AND rain :-1.5 AND fog :0", "a cat and (fog:0)", ("(rain:1.5)",)),
        ("a:: b::-.5 c AND rain :-1", "a, c", ("b", "rain")),
        ("BANDANA AND_PERP x", "BANDANA AND_PERP x", ()),
        ("AND", "AND", ()),
        ("::", "", ()),
        ("", "", ()),
    ],
)
def test_weights_become_brackets(prompt: str, read: str, avoided: tuple[str, ...]) -> None:
    weighed = read_weights(prompt)
    assert (weighed.prompt, weighed.avoided, weighed.unread) == (read, avoided, ())


def test_weights_that_say_nothing_are_found() -> None:
    assert read_weights("(a::2, b)").unread == ("::2",)
    plain = read_weights("a::2 b AND c :3", has_weights=False)
    assert (plain.prompt, plain.unread) == ("a, b and c", ("::2", ":3"))
    assert read_weights("(a::2, b) c::3", has_weights=False).unread == ("::2", "::3")
    assert read_weights("a AND b").is_joined
    assert not read_weights("a::2 b").is_joined


def test_what_is_written_is_read_as_emphasis() -> None:
    parts = [part for part in read_emphasis(read_weights("red apple::2 pear").prompt) if isinstance(part, Fragment)]
    assert [(part.text, part.weight) for part in parts] == [("red apple", 2.0), (", pear", 1.0)]


@pytest.mark.parametrize(
    ("prompt", "signs"),
    [
        ("a cat++, a (dog)1.3 and (fur)--", ("cat++", ")1.3", ")--")),
        ("('a', 'b').blend(1, 2)", (".blend(",)),
        ("a AND_PERP b ADDCOL c", ("AND_PERP", "ADDCOL")),
        ("a <break> <random:a,b> <segment:face> <lora:a:1>", ("<break>", "<random:a,b>", "<segment:face>")),
        ("C++ and a well-known (word) <3 wait-- 1.5", ()),
    ],
)
def test_signs_of_others_are_found(prompt: str, signs: tuple[str, ...]) -> None:
    assert find_signs(prompt) == signs


@given(st.text(alphabet="ab ,:.-+01()[]{}<>\\AND ", max_size=80), st.booleans())
def test_any_text_is_read_and_what_comes_out_has_no_weights_left(prompt: str, has_weights: bool) -> None:
    weighed = read_weights(prompt, has_weights=has_weights)
    find_signs(prompt)
    read_emphasis(weighed.prompt)
    assert len(weighed.prompt) + len("".join(weighed.avoided)) <= 6 * len(prompt) + 20
