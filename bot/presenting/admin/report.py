"""A server's usage by day, member and model, in words and as a table. `report_chart` draws it."""

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from csv import writer
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from bot.presenting.texts import text
from bot.store.members.ledger import Use

_HEAD: Final = ("day", "user id", "user name", "model", "jobs", "images", "units")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full width


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A member's usage of a model on a day."""

    day: date
    user_id: int
    model_key: str
    jobs: int
    images: int
    units: int


def first_day(now: datetime, days: int, time_zone: str) -> datetime:
    """The beginning of the first of `days` days; the last day is today."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(now.astimezone(zone).date() - timedelta(days=days - 1), time(), zone)


def rows_of(uses: Iterable[Use], time_zone: str) -> list[Row]:
    """Usage summed by day, member and model, in this order."""
    zone = ZoneInfo(time_zone)
    jobs: Counter[tuple[date, int, str]] = Counter()
    images: Counter[tuple[date, int, str]] = Counter()
    units: Counter[tuple[date, int, str]] = Counter()
    for use in uses:
        key = (use.at.astimezone(zone).date(), use.user_id, use.model_key)
        jobs[key] += 1
        images[key] += use.outputs
        units[key] += use.units
    return [
        Row(day=key[0], user_id=key[1], model_key=key[2], jobs=jobs[key], images=images[key], units=units[key])
        for key in sorted(jobs)
    ]


def names_of(uses: Iterable[Use]) -> dict[int, str]:
    """Each member's newest name; empty for members whose data was deleted."""
    names: dict[int, str] = {}
    for use in uses:
        names[use.user_id] = use.user_name or names.get(use.user_id, "")
    return names


def csv(uses: Sequence[Use], *, time_zone: str) -> bytes:
    """The usage as CSV in UTF-8 with a byte order mark. No name can act as a formula in a spreadsheet."""
    file = io.StringIO(newline="")
    table = writer(file)
    table.writerow(_HEAD)
    names = names_of(uses)
    for row in rows_of(uses, time_zone):
        name, model = _harmless(names[row.user_id]), _harmless(row.model_key)
        table.writerow((row.day.isoformat(), row.user_id, name, model, row.jobs, row.images, row.units))
    return file.getvalue().encode("utf-8-sig")


def summary(uses: Sequence[Use], days: int) -> str:
    """The usage in one sentence."""
    if not uses:
        return text("report-summary-empty", days=days)
    members = len({use.user_id for use in uses})
    return text("report-summary", days=days, units=sum(use.units for use in uses), members=members, jobs=len(uses))


def _harmless(cell: str) -> str:
    """A cell that is no formula. Spreadsheets run formulas even from an imported file (CWE-1236)."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
