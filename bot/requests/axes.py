"""Axes of a grid: what differs between its pictures, with values as A1111's X/Y/Z plot reads them."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from bot.errors import Refused
from bot.requests.given import GivenRequest
from bot.requests.options.table import FIELDS
from bot.requests.resolving import choose_seed
from bot.store.rows.sheets import Axis, AxisName, Plan
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.loras import LoraEntry

_EVERYTHING: Final = "*"
_NUMBER: Final = r"[+-]?\d+(?:[.,]\d+)?"
_RANGE: Final = re.compile(
    rf"(?P<first>{_NUMBER})\s*-\s*(?P<last>{_NUMBER})(?:\s*\((?P<step>{_NUMBER})\)|\s*\[(?P<count>\d+)\])?"
)
_MOST_DIGITS: Final = 9
_ANY_SEED: Final = "-1"


_FIELDS: Final[Mapping[AxisName, str]] = MappingProxyType(
    {
        AxisName.CFG: "guidance_scale",
        AxisName.STEPS: "num_inference_steps",
        AxisName.SAMPLER: "scheduler_name",
        AxisName.SEED: "seed",
        AxisName.MODEL: "model_key",
        AxisName.SIZE: "size",
    }
)
_IS_WHOLE: Final = frozenset({AxisName.STEPS, AxisName.SEED})


def read_axis(name: AxisName, typed: str, spec: ModelSpec, catalogue: Catalogue, most: int) -> Axis:
    """An axis from typed values: `1, 4, 7`, `1-10`, `1-10 (+3)`, `1-30 [6]`; `*` is all samplers or models.

    Args:
        name: what it changes.
        typed: the values.
        spec: the model, whose samplers `*` means.
        catalogue: the models.
        most: most values.

    Raises:
        Refused: a value is none, or there are too many.
    """
    if name in (AxisName.CFG, AxisName.STEPS, AxisName.SEED, AxisName.STYLE):
        values = _numbers(name, typed, most)
    elif typed.strip() == _EVERYTHING and name in (AxisName.SAMPLER, AxisName.MODEL):
        values = [*(spec.offered_samplers if name is AxisName.SAMPLER else catalogue.models)]
    else:
        values = _words(typed)
    values = [str(choose_seed()) if name is AxisName.SEED and value == _ANY_SEED else value for value in values]
    values = [*dict.fromkeys(values)]
    if not values:
        raise Refused("refused-grid-empty", axis=name)
    if len(values) > most:
        raise Refused("refused-grid-many", count=len(values), most=most)
    return Axis(name=name, values=tuple(values))


def requests_of(given: GivenRequest, plan: Plan) -> list[GivenRequest]:
    """The request of each picture, row by row.

    Raises:
        Refused: a value cannot be used.
    """
    rows: Sequence[Callable[[GivenRequest], GivenRequest]] = [_as_it_is]
    if plan.y is not None:
        rows = [_changing(plan.y, value) for value in plan.y.values]
    return [_changing(plan.x, value)(row(given)) for row in rows for value in plan.x.values]


def _as_it_is(given: GivenRequest) -> GivenRequest:
    return given


def _changing(axis: Axis, value: str) -> Callable[[GivenRequest], GivenRequest]:
    """A function that gives a request a value of an axis."""

    def change(given: GivenRequest) -> GivenRequest:
        if axis.name is AxisName.WORDS:
            searched = axis.values[0]
            if searched not in given.prompt:
                raise Refused("refused-grid-words", words=searched)
            return msgspec.structs.replace(given, prompt=given.prompt.replace(searched, value))
        if axis.name is AxisName.STYLE:
            if not isinstance(given.style, LoraEntry):
                raise Refused("refused-grid-style")
            return msgspec.structs.replace(given, style=msgspec.structs.replace(given.style, scale=float(value)))
        changed: dict[str, Any] = {_FIELDS[axis.name]: FIELDS[axis.name].takes.read(axis.name, value)}
        return msgspec.structs.replace(given, **changed)

    return change


def _words(typed: str) -> list[str]:
    """Values between commas; one with a comma stands in quotes."""
    (found,) = csv.reader([typed.replace("\n", " ")], skipinitialspace=True)
    return [value.strip() for value in found if value.strip()]


def _numbers(name: AxisName, typed: str, most: int) -> list[str]:
    found: list[str] = []
    for part in typed.split(","):
        words = part.strip()
        if not words:
            continue
        if (match := _RANGE.fullmatch(words)) is not None:
            found += _range(name, match, most)
        elif re.fullmatch(_NUMBER, words) and len(words) <= _MOST_DIGITS + 2:
            found.append(_shown(name, float(words.replace(",", "."))))
        else:
            raise Refused("refused-grid-number", axis=name, value=words)
        if len(found) > most:
            raise Refused("refused-grid-many", count=len(found), most=most)
    return found


def _range(name: AxisName, match: re.Match[str], most: int) -> list[str]:
    """The numbers of `1-10`, `1-10 (+3)` or `1-30 [6]`, whose last one is the end at most."""
    first, last = (float(match[side].replace(",", ".")) for side in ("first", "last"))
    if max(abs(first), abs(last)) >= 10**_MOST_DIGITS:
        raise Refused("refused-grid-number", axis=name, value=match[0])
    if match["count"] is not None:
        count = int(match["count"])
        if not 0 < count <= most:
            raise Refused("refused-grid-many", count=count, most=most)
        step = (last - first) / max(1, count - 1)
    else:
        size = abs(float((match["step"] or "1").replace(",", ".")))
        if not size:
            raise Refused("refused-grid-number", axis=name, value=match[0])
        step = size if last >= first else -size
        count = int(abs(last - first) / size + 1e-9) + 1
        if count > most:
            raise Refused("refused-grid-many", count=count, most=most)
    return [_shown(name, first + step * number) for number in range(count)]


def _shown(name: AxisName, value: float) -> str:
    """A number as it is read again; steps and seeds are whole."""
    return str(round(value)) if name in _IS_WHOLE else f"{value:.4g}"
