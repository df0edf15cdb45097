"""How embeddings are named in a prompt, and what is left where one is taken out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompts.embeddings import EmbeddingNames, marks_beside


def names() -> EmbeddingNames:
    keys = ("EasyNegative", "bad", "bad-hands-5", "by bad artist", "By bad artist -neg", "hand (v2)", "straße")
    return EmbeddingNames({name: name for name in keys} | {"<cat-toy>": "toy"})


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("embedding:easynegative, a cat", [("easynegative", "EasyNegative")]),
        ("(Embedding:EasyNegative.safetensors:1.2)", [("EasyNegative", "EasyNegative")]),
        ("embedding:folder/deeper\\bad-hands-5.pt", [("bad-hands-5", "bad-hands-5")]),
        ("blurry, easynegative, (BAD-HANDS-5:1.3)", [("easynegative", "EasyNegative"), ("BAD-HANDS-5", "bad-hands-5")]),
        ("<easynegative> and <cat-toy>", [("easynegative", "EasyNegative"), ("<cat-toy>", "toy")]),
        (
            "by bad artist -neg, embedding:hand (v2)",
            [("by bad artist -neg", "By bad artist -neg"), ("hand (v2)", "hand (v2)")],
        ),
        ("STRASSE straße", [("straße", "straße")]),
        ("a bad-handsome badger, verybad, bad_", []),
        ("embedding:badly, embedding:bad-x.", [("badly", None), ("bad-x", None)]),
        ("embedding:gone.safetensors, embedding:folder/deeper\\MAX!", [("gone", None), ("MAX", None)]),
        ("an embedding: of words, myembedding:bad-hands", []),
    ],
)
def test_names_are_read_as_elsewhere(prompt: str, found: list[tuple[str, str | None]]) -> None:
    assert [(mention.name, mention.key) for mention in names().mentions(prompt)] == found


def test_a_mention_says_what_stands_there_and_whether_it_may_be_a_word() -> None:
    prompt = "(embedding:x/bad.pt:1.2), <bad>, bad, embedding:gone."
    assert [(mention.typed, mention.is_bare) for mention in names().mentions(prompt)] == [
        ("embedding:x/bad.pt", False),
        ("<bad>", False),
        ("bad", True),
        ("embedding:gone.", False),
    ]


def test_without_a_name_only_what_says_that_it_is_one_is_an_embedding() -> None:
    found = EmbeddingNames({}).mentions("embedding:x, <y>, z")
    assert [(mention.name, mention.key) for mention in found] == [("x", None)]


@pytest.mark.parametrize(
    ("prompt", "left"),
    [
        ("embedding:x, a cat", "a cat"),
        ("a cat, embedding:x", "a cat"),
        ("a (embedding:x:1.2) cat", "a cat"),
        ("a, ((embedding:x:1.2)), cat", "a, cat"),
        ("a, (embedding:x, embedding:y:0.5), [embedding:z], cat", "a, cat"),
        ("(embedding:x, cat:1.2)", "(cat:1.2)"),
        ("(cat, embedding:x:1.2)", "(cat:1.2)"),
        ("[embedding:x:cat:0.5]", "[:cat:0.5]"),
        ("a cat [embedding:x|dog]", "a cat [|dog]"),
        ("embedding:x", ""),
        ("bad, embedding:x cat", "bad, cat"),
    ],
)
def test_what_is_left_out_leaves_no_brackets_and_commas(prompt: str, left: str) -> None:
    assert names().replaced(prompt, lambda mention: None if mention.key is None else mention.typed) == left


def test_marks_are_letters_that_the_prompt_has_not() -> None:
    marks = marks_beside(f"a {chr(0xE000)} {chr(0xE002)}")
    assert [next(marks), next(marks)] == [chr(0xE001), chr(0xE003)]


@given(st.text("abe:()[]|<>, .dmingx1" + chr(0xE000), max_size=60))
def test_any_text_can_be_read_and_keeps_what_is_kept(prompt: str) -> None:
    known = names()
    assert known.replaced(prompt, lambda mention: mention.typed) == prompt
    letters = marks_beside(prompt)
    marked = known.replaced(prompt, lambda _: next(letters))
    assert len(marked) <= len(prompt)
    known.replaced(prompt, lambda _: None)
