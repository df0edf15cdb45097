"""Prompts that stand for several, and lists of words."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.expansion import (
    MAX_DEPTH,
    EndlessWildcard,
    TooManyPrompts,
    UnknownWildcard,
    Wildcards,
    expand,
    find_unread,
    has_chances,
)

EXPANSIONS = {
    "a cat": ["a cat"],
    "a {red|green} apple": ["a red apple", "a green apple"],
    "a {red, green} apple": ["a red apple", "a green apple"],
    "{a|b} {c|d}": ["a c", "a d", "b c", "b d"],
    "{a|b {c|d}}": ["a", "b c", "b d"],
    "{a, b|c}": ["a, b", "c"],
    "{a, {b|c}}": ["a", "b", "c"],
    "{|red} apple": [" apple", "red apple"],
    "{a} word": ["{a} word"],
    "{{a, b}}": ["{a}", "{b}"],
    "{a {b|c}": ["{a b", "{a c"],
    "a | b, c }": ["a | b, c }"],
    r"\{a|b\}": [r"\{a|b\}"],
    r"{a\, b, c}": ["a, b", "c"],
    r"{a\|b|c}": ["a|b", "c"],
    r"{a\\|b}": [r"a\\", "b"],
    "{x {a, b|c}": ["{x a, b", "{x c"],
    r"{ {a\,b|c} }": [r"\{ a,b \}", "{ c }"],
    "a cat --ar {1:1, 16:9} --seed 3": ["a cat --ar 1:1 --seed 3", "a cat --ar 16:9 --seed 3"],
    "[a|b] (c:1.2), __d__": ["[a|b] (c:1.2), __d__"],
    "{2$$red|green|blue} cat": ["red, green cat", "red, blue cat", "green, blue cat"],
    "{2$$ and $$a|{b|c}}": ["a and b", "a and c"],
    "{2$$, or $$a|b}!": ["a, or b!"],
    "{1-2$$a|b}": ["a", "b", "a, b"],
    "{-2$$a|b}": ["a", "b", "a, b"],
    "{2-$$/$$a|b|c}": ["a/b", "a/c", "b/c", "a/b/c"],
    "{0-1$$x|y}": ["", "x", "y"],
    "{9$$a|b}": ["a, b"],
    "{2$$a, b}": ["a, b"],
    "{2$$a}": ["a"],
    "{0.5::red|2::green} cat": ["red cat", "green cat"],
    "{ .5::a, b::2}": ["a", "b::2"],
    "{2$$3::a|b}": ["a, b"],
    "{x$$a|b}": ["{x$$a|b}"],
    "{$$}": ["{$$}"],
    "{$$a|b}": ["{$$a|b}"],
    "{-$$a|b}": ["{-$$a|b}"],
    # What is between the options ends before the first of them.
    "{2$$a|b$$c}": ["a, b$$c"],
    "{1$${a|b}$$c}": ["a$$c", "b$$c"],
    "{2$$,a}": [", a"],
    "{1-2$$a|b|c}": ["a", "b", "c", "a, b", "a, c", "b, c"],
}


@pytest.mark.parametrize(("prompt", "expected"), EXPANSIONS.items())
def test_what_a_prompt_stands_for(prompt: str, expected: list[str]) -> None:
    assert list(expand(prompt, len(expected))) == expected
    with pytest.raises(TooManyPrompts):
        expand(prompt, len(expected) - 1)


def test_too_many_are_counted_and_not_made() -> None:
    with pytest.raises(TooManyPrompts):
        expand("{|}" * 600, 8)
    with pytest.raises(TooManyPrompts):
        expand("{a|" * MAX_DEPTH + "b" + "}" * MAX_DEPTH, MAX_DEPTH)


def test_braces_may_be_as_deep_as_anybody_types() -> None:
    assert expand("{" * 1_000 + "a" + "}" * 1_000, 8) == ("{" * 1_000 + "a" + "}" * 1_000,)
    assert expand("{a|" * 1_000, 8) == ("{a|" * 1_000,)
    deepest = "{a|" * MAX_DEPTH + "{b|c" + "}" * MAX_DEPTH
    assert expand(deepest, 40) == (*"a" * MAX_DEPTH, "{b", "c")


def test_what_templates_of_others_say_is_found() -> None:
    assert find_unread("a ${x} b") == "${x}"
    assert find_unread("${ color = red } b") == "${ color = red }"
    assert find_unread("${x:red}") == "${x:red}"
    assert find_unread("a {x$$b}") == "{x$$"
    for prompt in ("a $5 {b}", r"$\{x} \{a$$", "cash $$$", "$ {x}", "${5}"):
        assert find_unread(prompt) is None
    assert has_chances("a {b|{2::c|d}}")
    assert not has_chances("{1::a|1.0::b} {c|d} e::2")


@given(st.text(alphabet=r"ab {}|,\_$:1-", max_size=80))
def test_any_text_is_expanded_and_what_comes_out_stands_for_itself(prompt: str) -> None:
    try:
        prompts = expand(prompt, 50)
    except TooManyPrompts:
        return
    assert all(expand(text, 1) == (text,) for text in prompts)
    assert all(len(text) <= max(2, len(prompt)) ** 2 for text in prompts)


@given(st.text(max_size=200).filter(lambda text: "}" not in text))
def test_without_a_closing_brace_nothing_changes(prompt: str) -> None:
    assert expand(prompt, 1) == (prompt,)


LISTS = {
    "weighed": ["{9::often|1::seldom|0::never}"],
    "some": ["{1-2$$+$$a|b|c}"],
    "two": ["{2$$+$$3::a|2::b|1::c}"],
    "even": ["{a|b|c}"],
    "color": ["red", "green", "blue", "yellow"],
    "things/fruit": ["apple", "pear", "plum"],
    "scene": ["a __color__ {ball|cube, of glass}"],
    "loop": ["x __loop__"],
    "many": ["__color__ " * 30],
    "piece": ["a} __"],
    "half": ["__co"],
}


def lists(name: str) -> Sequence[str]:
    if name not in LISTS:
        raise UnknownWildcard(name)
    return LISTS[name]


def fill(prompt: str, seed: int = 7) -> str:
    return Wildcards(lists, seed).fill(prompt)


def test_a_wildcard_is_a_line_of_its_list_by_the_seed() -> None:
    colors = [fill("a __color__ hat", seed) for seed in range(200)]
    assert {color.split()[1] for color in colors} == set(LISTS["color"])
    assert colors == [fill("a __COLOR__ hat", seed) for seed in range(200)]
    pairs = {fill("__color__ __color__", seed) for seed in range(200)}
    assert len(pairs) == 16


def test_prompts_of_one_job_choose_one_after_the_other() -> None:
    differ = 0
    for seed in range(50):
        wildcards = Wildcards(lists, seed)
        differ += wildcards.fill("__color__") != wildcards.fill("__color__")
    assert 20 < differ < 50


def test_lists_name_lists_and_choose_in_their_lines() -> None:
    scenes = {fill("__scene__ by __things/fruit__", seed) for seed in range(300)}
    assert len(scenes) == 4 * 2 * 3
    assert "a red cube, of glass by plum" in scenes


def test_a_line_chooses_by_chances_and_as_many_as_it_says() -> None:
    chosen = [fill("__weighed__", seed) for seed in range(300)]
    assert 240 < chosen.count("often") < 300
    assert {*chosen} == {"often", "seldom"}
    some = {fill("__some__", seed) for seed in range(300)}
    assert some == {*"abc", *(f"{one}+{other}" for one in "abc" for other in "abc" if one != other)}


@pytest.mark.parametrize("prompt", ["__init", "__ __", "a__b", "_color_", "__../color__", "__/color__", r"\__color__"])
def test_what_is_no_wildcard_is_words(prompt: str) -> None:
    assert fill(prompt) == prompt


def test_unknown_and_endless_lists_are_named() -> None:
    with pytest.raises(UnknownWildcard, match=r"^colour$") as unknown:
        fill("a __Colour__")
    assert unknown.value.name == "colour"
    with pytest.raises(EndlessWildcard, match=r"^loop$") as endless:
        fill("__loop__")
    assert endless.value.name == "loop"
    with pytest.raises(EndlessWildcard):
        fill("__many__" * 9)


@pytest.mark.parametrize(
    ("prompt", "chosen"),
    [
        ("__color__", ["yellow", "green", "green", "red", "red", "red"]),
        ("__weighed__", ["often", "often", "often", "often", "often", "often"]),
        ("__some__ __color__", ["a yellow", "b+c yellow", "b+c green", "c+b yellow", "b+a green", "c red"]),
        ("__two__ __color__", ["a+c yellow", "a+c yellow", "c+a yellow", "a+b yellow", "a+b red", "a+c red"]),
        ("__even__", ["c", "b", "b", "b", "c", "a"]),
    ],
)
def test_what_was_chosen_once_is_chosen_for_ever(prompt: str, chosen: list[str]) -> None:
    """People repeat pictures by their seed, so that no later version may choose in another way."""
    assert [fill(prompt, seed) for seed in range(6)] == chosen


@pytest.mark.parametrize(("fine", "too_many"), [("__list8__", "__list9__"), ("__color__" * 100, "__color__" * 101)])
def test_lists_lead_only_so_far(fine: str, too_many: str) -> None:
    def chain(name: str) -> list[str]:
        """`list8` is eight lists, one inside the other."""
        number = int(name.removeprefix("list") or 0) if name.startswith("list") else 1
        return ["end"] if number == 1 else [f"__list{number - 1}__"]

    assert set(Wildcards(chain, 7).fill(fine).split("end")) == {""}
    with pytest.raises(EndlessWildcard):
        Wildcards(chain, 7).fill(too_many)


def test_what_lines_leave_behind_is_words() -> None:
    filled = fill("{b|c __piece__color__")
    assert filled == r"\{b|c a\} \_\_color\_\_"
    assert (fill(filled), expand(filled, 1)) == (filled, (filled,))


@given(st.text(alphabet=r"a _{}|,\/", max_size=60), st.integers(0, 2**32 - 1))
def test_any_text_is_filled_and_what_comes_out_stands_for_itself(prompt: str, seed: int) -> None:
    def any_list(name: str) -> list[str]:
        return [prompt.replace("__", "_"), f"{name}}}", "{a|__", "__b"]

    try:
        filled = Wildcards(any_list, seed).fill(prompt)
    except EndlessWildcard:
        return
    assert Wildcards(any_list, seed + 1).fill(filled) == filled
    if filled != prompt:
        assert expand(filled, 1) == (filled,)
