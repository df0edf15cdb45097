"""Lists of disguised words, of innocent ones, and of words of a language.

Each disguise is found, since the mechanism was built on these lists. How well it finds others is told by lists that
it was not built on.
"""

import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from english_words import get_english_words_set

from bot.safety.words.matching import Matcher
from bot.safety.words.rules import Rule, RuleSet

HERE = Path(__file__).parent
DISGUISES: dict[str, Any] = tomllib.loads((HERE / "disguises.toml").read_text(encoding="utf-8"))
INNOCENT: dict[str, Any] = tomllib.loads((HERE / "innocent.toml").read_text(encoding="utf-8"))
MAX_CHANCE_HITS = 3
"""Words with a letter three times, or two words with a hyphen, are found by rules that nobody would set."""


def matcher(words: Sequence[str]) -> Matcher:
    return Matcher(RuleSet(rules=tuple(Rule(word=word) for word in words)))


@pytest.mark.parametrize("kind", ["clear", "hard"])
def test_disguises_are_found(kind: str) -> None:
    missed = [
        (word, text) for word, texts in DISGUISES[kind].items() for text in texts if not matcher([word]).hits(text)
    ]
    assert missed == []


def test_innocent_words_are_not_found() -> None:
    found = [
        (word, text, hit.part)
        for word, texts in INNOCENT["words"].items()
        for text in texts
        for hit in matcher([word]).hits(text)
    ]
    assert found == []


def test_innocent_prompts_are_not_found() -> None:
    judge = matcher(INNOCENT["prompts"]["rules"])
    found = [(text, hit.rule.word, hit.part) for text in INNOCENT["prompts"]["texts"] for hit in judge.hits(text)]
    assert found == []


def test_disguises_are_found_among_all_other_rules() -> None:
    words = [*DISGUISES["clear"], *INNOCENT["words"]]
    judge = matcher(words)
    for word, texts in DISGUISES["clear"].items():
        for text in texts:
            assert word in {hit.rule.word for hit in judge.hits(text)}, text


def test_words_of_a_language_are_not_found() -> None:
    words = sorted(word for word in get_english_words_set(["gcide"], lower=True) if word.isascii() and word.isalpha())
    dice = random.Random(4)
    rules = dice.sample([word for word in words if 3 <= len(word) <= 6], 300)
    judge = matcher(rules)
    innocent = dice.sample(sorted({*words} - {*rules}), 6_000)
    prompts = [" ".join(innocent[start : start + 6]) for start in range(0, len(innocent), 6)]
    found = [(hit.rule.word, hit.part, prompt) for prompt in prompts for hit in judge.hits(prompt)]
    assert len(found) <= MAX_CHANCE_HITS, found
