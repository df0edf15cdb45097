"""Where the value of a typed option ends, and what it says."""

from collections.abc import Callable

import pytest

from bot.errors import Refused
from bot.requests.typed.option_values import Cut, cut_name, cut_number, cut_size, cut_word, decimal, name, ratio, whole

NAMES = {"big", "my big model", "x.y"}
MOST = "9" * 40


def cut_known(rest: str) -> Cut:
    return cut_name(rest, NAMES.__contains__)


@pytest.mark.parametrize(
    ("cut", "rest", "value", "text"),
    [
        (cut_word, " one,; two", "one", " two"),
        (cut_word, "maX,", "maX", ""),
        (cut_word, ' "a b" c', "a b", " c"),
        (cut_word, "“a b”, c", "a b", ", c"),
        (cut_word, "„a b“ c", "a b", " c"),
        (cut_word, '"" c', "", " c"),
        (cut_word, "  ", "", "  "),
        (cut_number, " 7, b", "7", " b"),
        (cut_number, "-6,5 b", "-6,5", " b"),
        (cut_number, ".5.", ".5", ""),
        (cut_number, "20px b", "20px", " b"),
        (cut_size, " 512 x 768; b", "512 x 768", " b"),
        (cut_size, "2 / 3", "2 / 3", ""),
        (cut_size, "wide, b", "wide", " b"),
        (cut_known, ' " big one " c', "big one", " c"),
        (cut_known, "my big model on", "my big model", " on"),
        (cut_known, "big., on", "big", " on"),
        (cut_known, "x.y on", "x.y", " on"),
        (cut_known, "none such , b", "none such", " b"),
        (cut_known, "none such ", "none such", ""),
        (cut_known, "", "", ""),
    ],
)
def test_a_value_ends_where_it_says_no_more(cut: Callable[[str], Cut], rest: str, value: str, text: str) -> None:
    assert cut(rest) == (value, text)


@pytest.mark.parametrize(
    ("read", "value", "meant"),
    [
        (whole, "+7", 7),
        (whole, MOST, int(MOST)),
        (decimal, "6,5", 6.5),
        (decimal, "-.5", -0.5),
        (decimal, MOST, float(MOST)),
        (ratio, "16:9", "16:9"),
        (ratio, "16 X 9", "16:9"),
        (ratio, f"1:{MOST[:38]}", f"1:{MOST[:38]}"),
        (name, "Euler a", "Euler a"),
    ],
)
def test_values_are_read(read: Callable[[str, str], object], value: str, meant: object) -> None:
    assert read("--some", value) == meant


@pytest.mark.parametrize(
    ("read", "value", "key", "told"),
    [
        *((read, "", "refused-option-empty", {"option": "--some"}) for read in (whole, decimal, ratio, name)),
        (whole, "many", "refused-typed-number", {"option": "--some", "value": "many"}),
        (whole, "2.5", "refused-typed-whole", {"option": "--some", "value": "2.5"}),
        (whole, MOST + "9", "refused-typed-number", {"option": "--some", "value": MOST}),
        (decimal, "many", "refused-typed-number", {"option": "--some", "value": "many"}),
        (decimal, MOST + "9", "refused-typed-number", {"option": "--some", "value": MOST}),
        (ratio, "wide", "refused-ratio", {"value": "wide"}),
        (ratio, "0:1", "refused-ratio", {"value": "0:1"}),
        (ratio, f"1:{MOST[:39]}", "refused-ratio", {"value": f"1:{MOST[:38]}"}),
    ],
)
def test_what_is_none_is_refused_by_its_name(
    read: Callable[[str, str], object], value: str, key: str, told: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        read("--some", value)
    assert (refused.value.key, refused.value.values) == (key, told)
