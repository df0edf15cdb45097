"""Concepts: prompts that guide a picture together."""

import pytest

from pipeline.prompts.concepts import Concept, in_each_concept, read_concepts


@pytest.mark.parametrize(
    ("prompt", "concepts"),
    [
        ("a cat", [("a cat", 1.0)]),
        ("a cat :0.5", [("a cat :0.5", 1.0)]),
        ("a cat AND a dog :.5", [("a cat", 1.0), ("a dog", 0.5)]),
        ("a cat:2 AND rain : -1.5", [("a cat", 2.0), ("rain", -1.5)]),
        ("a clock at 10:30 AND a cat", [("a clock at 10:30", 1.0), ("a cat", 1.0)]),
        ("a cat AND fog :0", [("a cat", 1.0)]),
        ("a cat :0 AND fog :0", [("a cat", 0.0)]),
        ("AND a cat :3 AND", [("a cat", 3.0)]),
        ("a cat AND fog :99", [("a cat", 1.0), ("fog", 10.0)]),
        ("AND", [("AND", 1.0)]),
        ("BANDANA and a cat", [("BANDANA and a cat", 1.0)]),
    ],
)
def test_and_parts_concepts_and_a_colon_weighs(prompt: str, concepts: list[tuple[str, float]]) -> None:
    assert read_concepts(prompt) == tuple(Concept(*each) for each in concepts)


@pytest.mark.parametrize(
    ("prompt", "changed"),
    [("a cat", "a cat!"), ("a cat AND fog:.25", "a cat! AND fog! :0.25"), ("a :2 AND b : -10", "a! :2 AND b! :-10")],
)
def test_each_concept_is_changed_and_its_weight_stays(prompt: str, changed: str) -> None:
    assert in_each_concept(prompt, lambda words: f"{words}!") == changed
