"""What values an option takes, and to which a number is moved."""

import math

import pytest

from bot.errors import Refused
from bot.requests.options.takes import decimal, name_of, whole
from bot.requests.typed.offers import Offers
from config.settings import LimitSettings
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.wire.outputs import Notice

SPEC = ModelSpec(key="some", title="Some", source=FolderSource(path="/nowhere"), family="sd", license="")
LIMITS = LimitSettings(max_steps=40)
OFFERS = Offers(models=["My big model"])


def test_whole_numbers() -> None:
    takes = whole(1, lambda spec, limits: len(spec.key) * limits.max_steps)
    assert (takes.type, takes.lowest, takes.highest(SPEC, LIMITS)) == (int, 1, 160)
    assert takes.cut(" 7, b", OFFERS) == ("7", " b")
    assert takes.read("--steps", "7") == 7
    assert [takes.fits(value, OFFERS) for value in ("7", "7.5", "x")] == [True, False, False]
    assert whole(1, lambda *_: 2, lambda option, value: len(option + value)).read("--seed", "-1") == 8


def test_decimals() -> None:
    takes = decimal(0.5, lambda *_: 30)
    assert (takes.type, takes.lowest, takes.highest(SPEC, LIMITS)) == (float, 0.5, 30)
    assert takes.cut(" 7,5; b", OFFERS) == ("7,5", " b")
    assert takes.read("--cfg", "7,5") == 7.5
    assert [takes.fits(value, OFFERS) for value in ("7", "7.5", "x")] == [True, True, False]


def test_names() -> None:
    takes = name_of(lambda words, offers: offers.is_model(words), max_length=9, max_words=2)
    assert takes.max_length == 9
    assert takes.cut("my big model on a mat", OFFERS) == ("my big model", " on a mat")
    assert takes.read("--model", "any") == "any"
    fitting = ("My big model", "one", "one two", "one two three", "")
    assert [takes.fits(value, OFFERS) for value in fitting] == [True, True, True, False, False]
    assert name_of(lambda *_: False, max_length=9).fits("one two three", OFFERS)


@pytest.mark.parametrize(
    ("value", "used", "told"),
    [(7, 7, None), (0, 1, "0"), (1, 1, None), (40, 40, None), (41.5, 40, "41.5")],
)
def test_a_number_is_moved_to_the_nearest_and_told(value: float, used: int, told: str | None) -> None:
    notices: list[Notice] = []
    moved = whole(1, lambda *_: 0).nearest("steps", value, 40, notices)
    assert (moved, type(moved)) == (used, int)
    values = {"option": "steps", "given": told, "used": str(used)}
    assert [(notice.key, notice.values) for notice in notices] == ([] if told is None else [("notice-clamped", values)])


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        decimal(0, lambda *_: 1).nearest("cfg", math.nan, 1, [])
    assert (refused.value.key, refused.value.values) == ("refused-typed-number", {"option": "cfg", "value": "nan"})
