"""German words, for a model that knows the English ones."""

import pytest

from bot.requests.typed.german import _table, in_english


@pytest.mark.parametrize(
    ("prompt", "known", "english"),
    [
        ("zwei Katzen", "cats", "two cats"),
        ("drei Füchse", "foxes", "three foxes"),
        ("vier Kirschen", "cherries", "four cherries"),
        ("zwei Katzen", "cat", "two cat"),
        # Only the thing right behind the number is several.
        ("zwei rote Katzen und Hunde", "cats dogs", "two red cats and dog"),
        ("Katzen und zwei Hunde", "cats dogs", "cat and two dogs"),
        ("zwei Einhörner", "unicorns", "two unicorns"),
        # A color with an ending, and one that ends so by itself.
        ("ein orangener Vogel", "", "a orange bird"),
        ("eine orangen Rosen", "", "a orange rose"),
        ("BLAUER VOGEL", "", "blue bird"),
        # Without an article or its like every word must be German.
        ("Apfel Ufo", "", "Apfel Ufo"),
        ("Apfel Birne", "", "apple pear"),
        ("ein", "", "ein"),
        ("ein Apfel <lora:Apfel:1>", "", "a apple <lora:Apfel:1>"),
        # What the model knows stays.
        ("die rose", "rose", "die rose"),
        ("ein Hut, rose", "rose", "a hat, rose"),
        ("", "", ""),
    ],
)
def test_german_is_read_word_by_word(prompt: str, known: str, english: str) -> None:
    assert in_english(prompt, known.split()) == english


def test_a_line_of_a_table_is_an_english_word_and_its_german_ones() -> None:
    assert _table("\nice cream: Eis Eiscreme|dog: Hund\ncat: Katze\n") == {
        "eis": "ice cream",
        "eiscreme": "ice cream",
        "hund": "dog",
        "katze": "cat",
    }
