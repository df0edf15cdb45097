"""The options that may be typed in a prompt, and where the words of one end that avoids something."""

import pytest

from bot.requests.options.table import find_option
from bot.requests.typed.offers import Offers
from pipeline.protocol.loras import LoraEntry

OFFERS = Offers(models=["big", "My Model"], styles=[LoraEntry(name="fur_v2", title="Soft Fur")])


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("No", "negative_prompt"),
        ("negative-prompt", "negative_prompt"),
        ("OHNE", "negative_prompt"),
        ("aspect-ratio", "size"),
        ("GRÖSSE", "size"),
        ("cfg_scale", "guidance_scale"),
        ("Bilder", "num_images"),
        ("stil", "style"),
        ("tile", None),
    ],
)
def test_an_option_is_known_by_every_name_whatever_its_case(name: str, field: str | None) -> None:
    option = find_option(name)
    assert (None if option is None else option.field) == field


@pytest.mark.parametrize(
    ("rest", "avoided"),
    [
        (" rain, fog, \t\n", "rain, fog"),
        ("Xray, maX", "Xray, maX"),
        ("rain;", "rain;"),
        (' "rain, fog" ', "rain, fog"),
        ("“rain”", "rain"),
        ("„rain“", "rain"),
        ('"rain" and fog', '"rain" and fog'),
        ("", ""),
    ],
)
def test_what_is_avoided_has_no_end_but_the_next_option(rest: str, avoided: str) -> None:
    option = find_option("no")
    assert option is not None
    assert option.takes.cut(rest, OFFERS) == (avoided, "")


def test_a_seed_of_minus_one_is_any() -> None:
    option = find_option("seed")
    assert option is not None
    assert [option.takes.read("--seed", value) for value in ("-1", "0", "7")] == [None, 0, 7]


def test_models_and_styles_are_offered_by_name_and_title() -> None:
    assert all(OFFERS.is_model(words) for words in ("BIG", "my model"))
    assert all(OFFERS.is_style(words) for words in ("FUR_V2", "soft fur"))
    assert not any((OFFERS.is_model("soft fur"), OFFERS.is_style("big"), Offers().is_style("fur_v2")))
