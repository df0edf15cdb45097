"""Emoji become words, for models that know some of them."""

import pytest

from bot.requests.typed.emoji import with_emoji_named, with_own_emoji_named

STAR, BLACK_SQUARE, BLACK_HEART, DINOSAUR = "\u2b50", "\u2b1b", "\U0001f5a4", "\U0001f996"
DOG, CAT, FLAG = "\U0001f436", "\U0001f431", "\U0001f1e9\U0001f1ea"


@pytest.mark.parametrize(
    ("prompt", "known", "named"),
    [
        (f"a {STAR}, red", "star", "a star, red"),
        # How an old sign was printed says nothing, but of a square and of what is new it says the color.
        (STAR, "white medium star", "star"),
        (BLACK_SQUARE, "black square", "black square"),
        (BLACK_HEART, "black heart", "black heart"),
        # Of a name the words that are known, if there are any; a hyphen stands between words.
        (DINOSAUR, "rex", "rex"),
        (DINOSAUR, "", "t rex"),
        ("\u231a", "", "watch"),
        ("\u2764\ufe0f", "", "red heart"),
        ("\U0001f0ff", "", "sign"),
        (FLAG, "", "flag"),
        # Several are counted where the plural is known.
        (STAR * 2, "two stars", "two stars"),
        (STAR * 4, "four stars", "four stars"),
        (STAR * 5, "five stars", "star"),
        (STAR * 2, "two", "star"),
        (STAR * 2, "stars", "star"),
        (BLACK_SQUARE * 2, "two squares", "two black large squares"),
        (DOG + CAT, "dog cat", "dog and cat"),
        (DOG + CAT + CAT, "dog cat cats two", "dog and two cats"),
        # What is said already is not said again.
        (f"two Dogs {DOG} {CAT}", "dog cat", "two Dogs cat"),
        (f"a cat {CAT}{DOG}", "dog cat", "a cat dog"),
        # Words that show nothing are known and left out.
        ("\U0001f3a9\U0001f47d", "hat alien", "hat and alien"),
        ("2\ufe0f\u20e3 cats", "", "2 cats"),
        ("no sign  here , x", "", "no sign  here , x"),
    ],
)
def test_signs_become_words_that_the_model_knows(prompt: str, known: str, named: str) -> None:
    assert with_emoji_named(prompt, known.split(), ()) == named


def test_words_that_show_nothing_are_left_out_of_a_name() -> None:
    assert with_emoji_named("\U0001f355", {"slice", "of", "pizza"}, {"of"}) == "slice pizza"


def test_an_emoji_of_a_server_is_its_name() -> None:
    assert with_own_emoji_named("a <a:red_star:123456789012345678> <:x:12>") == "a red star <:x:12>"
