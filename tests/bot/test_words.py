"""What nobody can see goes; what somebody can see stays, whatever its script."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.words import clean, clean_texts


@pytest.mark.parametrize(
    ("typed", "kept"),
    {
        "a \ud83c cat": "a  cat",
        "\ud83c": "",
        "\u200b\u200b": "",
        "\u200d\ufe0f \u2060\ufeff": "",
        "\u3164\u2800": "",
        "\x00\x07red\x1b": "red",
        "r\u200ded\u200c": "red",
        "\u202etac a\u202c": "tac a",
        "soft\xadhyphen": "softhyphen",
        "two\nlines\tand a tab": "two\nlines\tand a tab",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f": (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f"
        ),
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u8d64\u3044\u308a\u3093\u3054": "\u8d64\u3044\u308a\u3093\u3054",
    }.items(),
)
def test_only_what_can_be_seen_stays(typed: str, kept: str) -> None:
    assert clean(typed) == kept


def test_every_text_of_an_interaction_is_cleaned() -> None:
    options: Any = {"options": [{"name": "prompt", "value": "\ud83ca"}, {"name": "seed", "value": 7}], "id": None}
    assert clean_texts(options) == {
        "options": [{"name": "prompt", "value": "a"}, {"name": "seed", "value": 7}],
        "id": None,
    }


@given(st.text(alphabet=st.one_of(st.characters(), st.characters(categories=["Cs", "Cf", "Cc"]))))
def test_what_is_left_can_be_kept_and_cleaning_is_done_at_once(typed: str) -> None:
    kept = clean(typed)
    assert msgspec.json.decode(msgspec.json.encode(kept)) == kept
    assert clean(kept) == kept
