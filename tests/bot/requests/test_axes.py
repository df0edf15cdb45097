"""Axes of a grid: values as A1111 writes them, and what they change."""

import msgspec
import pytest

from bot.errors import Refused
from bot.requests.axes import read_axis, requests_of
from bot.requests.given import GivenRequest
from bot.store.rows.sheets import COLUMNS, Axis, AxisName, Plan
from config.catalogue import Catalogue
from pipeline.protocol.loras import LoraEntry


@pytest.mark.parametrize(
    ("name", "typed", "values"),
    [
        ("cfg", "1, 4, 7", ["1", "4", "7"]),
        ("cfg", "1-10", [str(number) for number in range(1, 11)]),
        ("cfg", "1-10 (+3)", ["1", "4", "7", "10"]),
        ("cfg", "1-10(+4)", ["1", "5", "9"]),
        ("cfg", "7-1 (-3)", ["7", "4", "1"]),
        ("cfg", "1-2 (+0.25), 9.5", ["1", "1.25", "1.5", "1.75", "2", "9.5"]),
        ("steps", "1-30 [6]", ["1", "7", "13", "18", "24", "30"]),
        ("steps", "8, 8, 12", ["8", "12"]),
        ("style", "-1-1 (+1)", ["-1", "0", "1"]),
        ("words", '"a red, round apple", a pear', ["a red, round apple", "a pear"]),
        ("size", "512x512, 3:2", ["512x512", "3:2"]),
    ],
)
def test_values_are_read_as_a1111_writes_them(catalogue: Catalogue, name: str, typed: str, values: list[str]) -> None:
    assert [*read_axis(AxisName(name), typed, catalogue.default, catalogue, 36).values] == values


def test_a_star_is_everything_and_a_seed_may_be_any(catalogue: Catalogue) -> None:
    spec = catalogue.default
    assert read_axis(AxisName.SAMPLER, "*", spec, catalogue, 36).values == tuple(spec.offered_samplers)
    assert read_axis(AxisName.MODEL, " * ", spec, catalogue, 36).values == tuple(catalogue.models)
    seeds = read_axis(AxisName.SEED, "-1, 7, -1", spec, catalogue, 36).values
    assert len(set(seeds)) == 3
    assert seeds[1] == "7"


@pytest.mark.parametrize(
    ("name", "typed", "key"),
    [
        ("cfg", "", "refused-grid-empty"),
        ("words", " , ,", "refused-grid-empty"),
        ("cfg", "high", "refused-grid-number"),
        ("cfg", "1-5 (+0)", "refused-grid-number"),
        ("cfg", "nan", "refused-grid-number"),
        ("seed", "9" * 40, "refused-grid-number"),
        ("cfg", "1-" + "9" * 12, "refused-grid-number"),
        ("cfg", "0-1 (+0.0001)", "refused-grid-many"),
        ("cfg", "1-10 [0]", "refused-grid-many"),
        ("cfg", "1-37", "refused-grid-many"),
        ("cfg", "1-20, 21-40", "refused-grid-many"),
    ],
)
def test_what_is_no_value_is_refused_without_much_work(catalogue: Catalogue, name: str, typed: str, key: str) -> None:
    with pytest.raises(Refused, match=key):
        read_axis(AxisName(name), typed, catalogue.default, catalogue, 36)


def test_cells_go_row_by_row_and_are_labelled_so() -> None:
    plan = Plan(
        prompt="a red apple",
        x=Axis(name=AxisName.CFG, values=("1", "4")),
        y=Axis(name=AxisName.WORDS, values=("red apple", "pear")),
    )
    cells = requests_of(GivenRequest(prompt="a red apple"), plan)
    assert [(cell.prompt, cell.guidance_scale) for cell in cells] == [
        ("a red apple", 1.0),
        ("a red apple", 4.0),
        ("a pear", 1.0),
        ("a pear", 4.0),
    ]
    assert plan.labels(2) == ("cfg 1", "words pear")
    assert (plan.count, plan.columns) == (4, 2)
    alone = msgspec.structs.replace(plan, x=Axis(name=AxisName.SEED, values=tuple("123456789")), y=None)
    assert (alone.count, alone.columns) == (9, COLUMNS)


def test_a_style_changes_its_weight_and_words_must_be_there() -> None:
    weights = Plan(prompt="a", x=Axis(name=AxisName.STYLE, values=("0.5", "1")))
    given = GivenRequest(prompt="a", style=LoraEntry(name="ink", title="Ink"))
    assert [cell.style.tag for cell in requests_of(given, weights) if isinstance(cell.style, LoraEntry)] == [
        "<lora:ink:0.5>",
        "<lora:ink:1>",
    ]
    with pytest.raises(Refused, match="refused-grid-style"):
        requests_of(GivenRequest(prompt="a"), weights)
    words = Plan(prompt="a", x=Axis(name=AxisName.WORDS, values=("pear", "plum")))
    with pytest.raises(Refused, match="refused-grid-words"):
        requests_of(GivenRequest(prompt="an apple"), words)
