"""The hard rule needs a term of both lists. These tests have made-up lists; those of the package are only read."""

from pathlib import Path

import msgspec
import pytest

from bot.safety.hard_rule import HardRule, read_list, shipped_rule, widened_rule
from bot.safety.words.files import BadRuleFile, read_text
from pipeline.protocol.requests import GenerationRequest

MADE_UP = HardRule(read_text("blorbel\n17 zorp old*\n"), read_text("zindel*\n"), read_text("grelk"))


@pytest.mark.parametrize(
    ("changes", "is_forbidden"),
    [
        ({"prompt": "a blorbel in a zindelig hat"}, True),
        ({"prompt": "zindel, a big house, a bl0rbel"}, True),
        ({"prompt": "a 17-zorp-old, zindel"}, True),
        ({"prompt": "a [blorbel:cat:0.5] and a [dog:zindel:0.9]"}, True),
        ({"prompt": "a blorbel", "negative_prompt": "(zindel:-1)"}, True),
        ({"prompt": "a blorbel", "negative_prompt": "zindel"}, False),
        ({"prompt": "a blorbel in a hat"}, False),
        ({"prompt": "a zindel, 18 zorp old"}, False),
        ({"prompt": "a red apple"}, False),
    ],
)
def test_both_terms_are_needed(request_: GenerationRequest, changes: dict[str, str], *, is_forbidden: bool) -> None:
    assert MADE_UP.forbids(msgspec.structs.replace(request_, **changes)) is is_forbidden


@pytest.mark.parametrize(
    ("prompt", "names"),
    [("a bl0rbel", True), ("a zindel", False), ("a [blorbel:cat:0.5]", True), ("[a|b|c]" * 999, True)],
)
def test_terms_for_minors_alone_make_the_image_check_strict(
    request_: GenerationRequest, prompt: str, *, names: bool
) -> None:
    assert MADE_UP.names_minors(msgspec.structs.replace(request_, prompt=prompt, num_inference_steps=99)) is names


def test_the_lists_of_the_package_can_be_read() -> None:
    assert all(read_list(name).rules for name in ("minors", "sexual"))
    assert shipped_rule() is shipped_rule()


def test_ages_end_before_eighteen() -> None:
    words = {rule.word for rule in read_list("minors").rules}
    for written in (
        "{} years old",
        "{} year old*",
        "{} yo",
        "{} jahre alt",
        "aged {}",
        "age {}",
        "of {} years",
        "{}歳",
    ):
        assert [age for age in range(1, 100) if written.format(age) in words] == list(range(1, 18))


@pytest.mark.parametrize("age", [*range(18, 24), 33, 44, 55, 66, 77, 88, 99, 111])
def test_who_is_grown_up_is_no_minor(request_: GenerationRequest, age: int) -> None:
    for written in (
        "{} years old",
        "a {}-year-old",
        "{}-years-old",
        "{}yo",
        "aged {}",
        "{}-jährige",
        "{}jährige",
        "{}歳",
    ):
        prompt = written.format(age)
        assert not shipped_rule().names_minors(msgspec.structs.replace(request_, prompt=prompt)), prompt


@pytest.mark.parametrize(
    "prompt", ["forty five years old", "a twenty-one-year-old", "seventy-seven years old", "ice age 5"]
)
def test_the_end_of_a_number_in_words_is_no_age(request_: GenerationRequest, prompt: str) -> None:
    assert not shipped_rule().names_minors(msgspec.structs.replace(request_, prompt=prompt))
    ends = f"{prompt}, five years old"
    assert shipped_rule().names_minors(msgspec.structs.replace(request_, prompt=ends))


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        *(
            (prompt, True)
            for prompt in (
                "grelk (13)",
                "a gr3lk, 13, hat",
                "grelk 9 yrs",
                "grelk, 12 jahre",
                "grelk (13:1.2)",
                "a GR3LK 13",
            )
        ),
        *((prompt, False) for prompt in ("grelk", "grelk (18)", "a grelk, 16:9", "grelk, 4k, f/8", "grelk, 5 candles")),
        *(
            (prompt, False)
            for prompt in ("grelk, no. 14, hat", "grelk, 1.5", "grelk, 33", "a hat (13)", "grelk, top 10")
        ),
    ],
)
def test_a_word_for_the_young_needs_an_age(request_: GenerationRequest, prompt: str, *, names: bool) -> None:
    assert MADE_UP.names_minors(msgspec.structs.replace(request_, prompt=prompt)) is names
    assert MADE_UP.forbids(msgspec.structs.replace(request_, prompt=f"zindel, {prompt}")) is names


@pytest.mark.parametrize(
    ("prompt", "is_forbidden"),
    [
        *((prompt, True) for prompt in ("undressed boy", "girl (13), nude", "nacktes mädchen, 12 jahre", "enfant nu")),
        *((prompt, True) for prompt in ("niña desnuda", "bambino nudo", "naakt kind", "голый мальчик, 9 лет")),
        *(
            (prompt, False)
            for prompt in ("nude girl, 16:9", "1girl, lingerie, 4k", "boy band, sexy", "les nus de Matisse")
        ),
        *((prompt, False) for prompt in ("mädchen, 20 jahre, nackt", "a cowboy, naked", "girl, 18, nude, top 10")),
    ],
)
def test_what_was_missed_once_is_found(request_: GenerationRequest, prompt: str, *, is_forbidden: bool) -> None:
    assert shipped_rule().forbids(msgspec.structs.replace(request_, prompt=prompt)) is is_forbidden


def test_ordinary_prompts_are_allowed(request_: GenerationRequest) -> None:
    for prompt in (
        "children play in a park",
        "a nude in oil on canvas, a woman of 40",
        "a baby blue dress, sexy",
        "sussex countryside with a little girl and her dog",
        "a baby naked mole rat",
        "a topless double decker bus with school children",
        "a pussy willow branch in a kindergarten vase",
        "a great tit on a branch, kids' book illustration",
        "ein nackter baum im winter neben der schule",
    ):
        assert not shipped_rule().forbids(msgspec.structs.replace(request_, prompt=prompt))


def test_an_owner_adds_to_the_lists_and_takes_nothing_away(request_: GenerationRequest, tmp_path: Path) -> None:
    both = msgspec.structs.replace(request_, prompt="a blorbel, zindel")
    term = read_list("sexual").rules[0].word.strip("*")
    half = msgspec.structs.replace(request_, prompt=f"a blorbel, {term}")
    assert not shipped_rule().forbids(half)
    with pytest.raises(BadRuleFile, match="has neither"):
        widened_rule(tmp_path)
    (tmp_path / "minors.txt").write_text("blorbel\n", encoding="utf-8")
    assert widened_rule(tmp_path).forbids(half)
    assert not widened_rule(tmp_path).forbids(both)
    (tmp_path / "sexual.txt").write_text("zindel\n", encoding="utf-8")
    assert widened_rule(tmp_path).forbids(both)
    (tmp_path / "sexual.txt").write_text("zindel\n! zindel hat\n", encoding="utf-8")
    with pytest.raises(BadRuleFile, match=r"sexual\.txt adds to the hard rule"):
        widened_rule(tmp_path)
    (tmp_path / "sexual.txt").write_text("x\n", encoding="utf-8")
    with pytest.raises(BadRuleFile, match="line 1"):
        widened_rule(tmp_path)
