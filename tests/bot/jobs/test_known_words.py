"""A word that a small model does not know is told, with words that it does know; nothing else is."""

import msgspec
import pytest

from bot.jobs.known_words import unknown_words
from bot.presenting.texts import LANGUAGES, spoken, text
from config.catalogue import Catalogue


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a carburettor", "carburettor"),
        ("a red apple on a table", "table"),
        ("Ein roter Apfel", "ein, roter, apfel"),
        ("zig zag zog zug", "zig, zag, zog"),
        ("a cat wearing don't-know-what's", "wearing, don't-know-what's"),
        ("[blue:reddish:0.5] heart", "reddish"),
    ],
)
def test_words_outside_of_the_world_are_named(prompt: str, words: str, catalogue: Catalogue) -> None:
    told = unknown_words(prompt, catalogue.default)
    assert told is not None
    assert told.values["words"] == words
    for language in LANGUAGES:
        with spoken(language):
            assert words.split(",", maxsplit=1)[0] in text(told.key, **told.values)


@pytest.mark.parametrize(
    "prompt",
    [
        "a red apple",
        "Two PURPLE cats, on a green background",
        "please a very nice (castle:1.3) in the mountains at night BREAK three [blue:red:0.5] stars",
        "a grey kitten <lora:fur:0.8> by the ocean, masterpiece",
        "3 frogs!!! 🐸",
        "a t-shirt",
    ],
)
def test_words_of_the_world_are_not(prompt: str, catalogue: Catalogue) -> None:
    assert unknown_words(prompt, catalogue.default) is None


def test_what_may_have_been_meant_comes_first(catalogue: Catalogue) -> None:
    told = unknown_words("a gitar", catalogue.default)
    assert told is not None
    assert str(told.values["known"]).startswith("guitar, ")


def test_a_model_without_a_vocabulary_knows_every_word(catalogue: Catalogue) -> None:
    assert unknown_words("a carburettor", msgspec.structs.replace(catalogue.default, vocabulary=None)) is None
