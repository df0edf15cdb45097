"""Matching: kinds of rules, exceptions, what a hit tells, and the prompt language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.safety.words.characters import How
from bot.safety.words.matching import Matcher
from bot.safety.words.rules import BadRule, Rule, RuleSet, read_patterns


def matcher(*words: str, exceptions: tuple[str, ...] = ()) -> Matcher:
    return Matcher(RuleSet(rules=tuple(Rule(word=word) for word in words), exceptions=exceptions))


@pytest.mark.parametrize(
    ("rule", "found", "not_found"),
    [
        ("cat", ["cat", "a cat.", "(cat)", "cat-like"], ["cats", "bobcat", "education"]),
        ("cat*", ["cat", "cats", "category"], ["bobcat", "education"]),
        ("*cat", ["cat", "bobcat"], ["cats", "education"]),
        ("*cat*", ["cat", "cats", "bobcat", "education"], ["act"]),
        ("red cat", ["red cat", "red  cat", "red-cat", "redcat"], ["red, cat", "red cats", "cat red", "red big cat"]),
        ("red cat*", ["red cats"], ["bored cats"]),
        ("匕首", ["我的匕首很亮"], ["匕我首"]),
        ("x-ray", ["x-ray", "x ray", "xray"], ["x-rays", "ray"]),
        ("88", ["88", "88 cats", "8 8 8 8, 88"], ["188", "880", "bb"]),
    ],
)
def test_kinds_of_rules(rule: str, found: list[str], not_found: list[str]) -> None:
    judge = matcher(rule)
    assert [text for text in found if not judge.hits(text)] == []
    assert [text for text in not_found if judge.hits(text)] == []


@pytest.mark.parametrize(
    ("text", "part", "how"),
    [
        ("a dagger here", "dagger", (How.PLAIN,)),
        ("a d4gg3r here", "d4gg3r", (How.SIGNS,)),
        ("a dаgger here", "dаgger", (How.LOOKS,)),
        ("один даггер", "даггер", (How.SOUNDS,)),
        ("a d a g g e r", "d a g g e r", (How.APART,)),
        ("a dag.ger", "dag.ger", (How.INSIDE,)),
        ("a d*gger", "d*gger", (How.HIDDEN,)),
        ("a daaagger", "daaagger", (How.REPEATED,)),
        ("ɹǝƃƃɐp", "ɹǝƃƃɐp", (How.TURNED,)),
        ("[dag:x:0.9]ger", "dagger", (How.LANGUAGE,)),
    ],
)
def test_a_hit_tells_the_part_and_how_it_was_read(text: str, part: str, how: tuple[How, ...]) -> None:
    (hit,) = matcher("dagger").hits(text)
    assert (hit.rule.word, hit.part, hit.how) == ("dagger", part, how)


def test_each_rule_is_told_once() -> None:
    assert [hit.rule.word for hit in matcher("cat", "dog").hits("a dog, a cat, a dog, c4t")] == ["dog", "cat"]


def test_exceptions() -> None:
    judge = matcher("dagger", exceptions=("Dagger Falls", "*dagger log*"))
    assert judge.hits("a tent at Dagger Falls") == ()
    assert [hit.part for hit in judge.hits("a dagger at Dagger Falls")] == ["dagger"]
    (allowed,) = judge.explain("a tent at Dagger Falls")
    assert (allowed.rule.word, allowed.exception) == ("dagger", "Dagger Falls")


def test_no_rules_find_nothing() -> None:
    assert matcher().hits("a cat") == ()


@pytest.mark.parametrize("evasion", ["[dag:x:0.99]ger", "dag[x|ger]", "da[gg|xx]er", "dag[:ger:0]", "d(ag)ger"])
def test_the_prompt_language_hides_nothing(evasion: str) -> None:
    assert matcher("dagger").hits(f"a {evasion} on a table", steps=20)


def test_tags_are_the_owners_words() -> None:
    assert matcher("dagger").hits("<lora:dagger:0.8> a cat") == ()


@pytest.mark.parametrize(
    ("negative", "is_found"),
    [("dagger", False), ("(dagger:1.4)", False), ("(dagger:-1)", True), ("ugly, (d4gger:-0.5)", True)],
)
def test_a_negative_prompt_is_judged_where_it_attracts(negative: str, is_found: bool) -> None:
    assert bool(matcher("dagger").hits_in_negative(negative)) is is_found


def test_a_prompt_that_changes_at_each_step_in_many_places_is_refused() -> None:
    changes = " ".join(f"[word{number}:other{number}:{number}]" for number in range(60))
    with pytest.raises(Refused, match="refused-prompt-changes-too-often"):
        matcher("dagger").hits(changes, steps=100)


@pytest.mark.parametrize(
    ("word", "key"), [("", "empty"), ("**", "empty"), ("a*b", "asterisk"), ("x", "short"), ("y" * 61, "long")]
)
def test_words_that_are_no_rules(word: str, key: str) -> None:
    with pytest.raises(BadRule) as caught:
        read_patterns(word)
    assert caught.value.key == key


@given(st.text(max_size=80))
def test_any_text_is_judged_and_told_from_itself(text: str) -> None:
    for hit in matcher("dagger", "*it*", "ab", "нож", "匕首", "red cat").hits(text):
        assert hit.part
        assert hit.how


LONG = " ".join(f"word{number} of a long prompt," for number in range(70))


@pytest.mark.parametrize(
    "change",
    [
        "[cat|dog|fox|owl|hen|dagger]",
        "[cat:dagger:0.2]",
        "[dagger:cat:0.2]",
        "[cat:[dagger:dog:30]:10]",
        "dag[cat|x]ger",
    ],
)
def test_a_change_within_a_long_prompt_is_judged(change: str) -> None:
    assert matcher("dagger").hits(f"{LONG} {change.replace('dag[cat|x]ger', 'dag[|x]ger')} {LONG}")
    assert not matcher("dagger").hits(f"{LONG} {change.replace('dag', 'big')} {LONG}")


def test_a_phrase_across_a_change_is_judged() -> None:
    assert matcher("red dagger").hits(f"{LONG} [blue|red] dagger {LONG}")
    assert not matcher("red dagger").hits(f"{LONG} [blue|red] cat dagger {LONG}")


def test_without_rules_nothing_is_read_and_nothing_refused() -> None:
    changes = " ".join(f"[word{number}:other{number}:{number}]" for number in range(60))
    assert matcher().hits(changes, steps=100) == ()
