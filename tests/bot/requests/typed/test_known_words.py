"""A word that a small model does not know is told, with words that it does know; nothing else is."""

import msgspec
import pytest

from bot.presenting.jobs.job_message import notice_line
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.requests.typed.known_words import BETWEEN, NO_KNOWN_WORD, drawn_alike, unknown_words
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.models import Vocabulary


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a red apple on a table", "table"),
        ("Ein roter Apfel in red", "ein, roter, apfel"),
        ("zig zag zog zug star", "zig, zag, zog"),
        ("a star, 8k, 4K, 1girl, 3.5", "8k, 4k, 1girl"),
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
        r"a re\d \(cat\) [a cat:a dog:5e-1]",
    ],
)
def test_words_of_the_world_are_not(prompt: str, catalogue: Catalogue) -> None:
    assert unknown_words(prompt, catalogue.default) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "a carburettor",
        "Ein roter Apfel im Schnee",
        "赤いりんご",
        "(a xylophone:1.3) and the <lora:apple:1>",
        "masterpiece, best quality, 8k",
        "!!!",
        "2",
    ],
)
def test_a_prompt_without_a_known_word_says_so(prompt: str, catalogue: Catalogue) -> None:
    told = unknown_words(prompt, catalogue.default)
    assert told is not None
    assert told.key == NO_KNOWN_WORD
    for language in LANGUAGES:
        with spoken(language):
            assert "Pocket" in text(told.key, **told.values)


def test_what_styles_teach_is_known(catalogue: Catalogue) -> None:
    assert unknown_words("a zbr-like apple", catalogue.default, ["ink", "ZBR-like STYLE"]) is None


def test_what_may_have_been_meant_comes_first(catalogue: Catalogue) -> None:
    told = unknown_words("a gitar", catalogue.default)
    assert told is not None
    assert str(told.values["known"]).startswith("guitar, ")


def test_a_model_without_a_vocabulary_knows_every_word(catalogue: Catalogue) -> None:
    assert unknown_words("a carburettor", msgspec.structs.replace(catalogue.default, vocabulary=None)) is None


@pytest.mark.parametrize(
    ("prompt", "is_alike"),
    [
        *(("a dog", True), ("Dog", True), ("a cute (dog:1.2), masterpiece", True), ("a cup of coffee", True)),
        *(("a red dog", False), ("a small dog", False), ("a dog on the beach", False), ("two dogs", False)),
        *(("dogs", False), ("a dog and a cat", False), ("a dog, pixel art", False), ("zzyzx", False), ("a", False)),
        ("a dog <lora:fur:1>", False),
    ],
)
def test_what_is_drawn_alike_from_every_seed_is_told(catalogue: Catalogue, prompt: str, *, is_alike: bool) -> None:
    found = drawn_alike(prompt, catalogue.default)
    assert (found is not None) == is_alike
    plain = msgspec.structs.replace(catalogue.default, vocabulary=None)
    assert drawn_alike(prompt, plain) is None


def test_at_the_edges_of_what_is_alike_and_of_what_may_be_meant(catalogue: Catalogue) -> None:
    vocabulary = Vocabulary(
        path="",
        words=BETWEEN | {"dog"},
        alike=BETWEEN | {"dog"},
        things=("carts", "cart", "cast", "carat", "boat", "star", "tree", "house", "bus", "cow", "hat", "ufo", "key"),
    )
    spec = msgspec.structs.replace(catalogue.default, vocabulary=vocabulary)
    assert drawn_alike(f"dog {' '.join(BETWEEN)}", spec) is not None
    assert drawn_alike(" ".join(BETWEEN), spec) is None
    told = unknown_words("dog carta donkey", spec)
    assert told is not None
    # The two that are most alike to a word, if they are much alike, and then things from all over the list.
    assert told.values["known"] == "cart, carts, cast, boat, tree, bus"
    few = msgspec.structs.replace(vocabulary, things=("star", "tree", "hat"))
    told = unknown_words("zzz", msgspec.structs.replace(spec, vocabulary=few))
    assert told is not None
    assert told.values["known"] == "star, tree, hat"


def test_the_sentence_names_what_changes_the_picture(catalogue: Catalogue) -> None:
    found = drawn_alike("a dog", catalogue.default)
    assert found is not None
    assert all(word in notice_line(found) for word in ("seed", "color", "size", "place", "number"))
