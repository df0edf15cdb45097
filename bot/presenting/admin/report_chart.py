"""A chart of a server's usage, for a phone in Discord's dark theme: by day and model, and by member.

matplotlib is imported inside functions, so that the bot starts quickly. Easel uses its object interface only: pyplot
keeps figures for ever and works in one thread only.
"""

import io
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from bot.presenting.admin.report import Row, names_of, rows_of
from bot.presenting.escaping import plain, shorten
from bot.presenting.texts import text
from bot.store.members.ledger import Use

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 1_000
MARGIN: Final = 40
ROW: Final = 50
"""Height in pixels of a member's row. The chart shows at most ten members and is shorter with fewer."""

_DPI: Final = 72  # makes a point of matplotlib a pixel
_BACKGROUND: Final = "#2b2d31"
_GRID: Final = "#4e5058"
_TEXT: Final = "#f2f3f5"
_FAINT: Final = "#c4c9ce"
_COLORS: Final = ("#57b8ff", "#ffb02e", "#4ade9c", "#ff7ab6", "#f7e463")
_OTHERS_COLOR: Final = "#9aa0a8"
_TITLE: Final = 34
_LABEL: Final = 27
_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that the chart is the same on every machine."""
_MOST_MODELS: Final = 5
_MOST_MEMBERS: Final = 10
_MOST_DAY_LABELS: Final = 5
_LEGEND_COLUMNS: Final = 3
_BARS_HEIGHT: Final = 370
_SUBPIXELS: Final = 64
_NAME_DIGITS: Final = 10_000

_drawing = threading.Lock()
"""matplotlib does not promise that two threads may draw at once."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A model's units on each day."""

    name: str
    color: str
    units: list[int]


def chart(uses: Sequence[Use], *, since: datetime, now: datetime, time_zone: str) -> bytes:
    """A PNG of the usage. This takes a second and blocks: call it in a thread.

    Args:
        uses: charged jobs, oldest first.
        since: the beginning of the first day.
        now: a time on the last day.
        time_zone: the time zone of the days.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    zone = ZoneInfo(time_zone)
    first, last = since.astimezone(zone).date(), now.astimezone(zone).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rows = rows_of(uses, time_zone)
    with _drawing:
        groups, members = _models(rows, days), _members(rows, names_of(uses))
        legend_rows = -(-len(groups) // _LEGEND_COLUMNS)
        bars_top = 95 + 44 * legend_rows
        members_top = bars_top + _BARS_HEIGHT + 150
        height = members_top + ROW * max(1, len(members)) + 30
        figure = Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor=_BACKGROUND)
        _draw_title(figure, height, 50, text("report-by-day"))
        _draw_legend(figure, height, groups)
        _draw_days(_axes(figure, height, (110, bars_top, 830, _BARS_HEIGHT)), groups, days)
        _draw_title(figure, height, members_top - 35, text("report-by-user"))
        _draw_members(_axes(figure, height, (MARGIN, members_top, 920, height - members_top - 30)), members)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()


def _models(rows: Sequence[Row], days: Sequence[date]) -> list[Group]:
    """The most used models, and all others as one group."""
    totals = Counter[str]()
    for row in rows:
        totals[row.model_key] += row.units
    models = [model for model, _ in totals.most_common(_MOST_MODELS)]
    groups = [
        Group(name=_fitted(model, 265, _LABEL), color=color, units=_by_day(rows, days, {model}))
        for model, color in zip(models, _COLORS, strict=False)
    ]
    others = totals.keys() - set(models)
    if others:
        groups.append(Group(name=text("report-others"), color=_OTHERS_COLOR, units=_by_day(rows, days, others)))
    return groups


def _members(rows: Sequence[Row], names: Mapping[int, str]) -> list[tuple[str, int]]:
    """Names and units of the members with the most units, in descending order."""
    totals = Counter[int]()
    for row in rows:
        totals[row.user_id] += row.units
    return [
        (_fitted(plain(names[user_id]), 290, _LABEL) or _nameless(user_id), units)
        for user_id, units in totals.most_common(_MOST_MEMBERS)
    ]


def _by_day(rows: Sequence[Row], days: Sequence[date], models: set[str]) -> list[int]:
    """Units of these models on each day."""
    units = Counter[date]()
    for row in rows:
        if row.model_key in models:
            units[row.day] += row.units
    return [units[day] for day in days]


def _draw_days(axes: "Axes", groups: Sequence[Group], days: Sequence[date]) -> None:
    """Draw a bar for each day, with the models stacked."""
    from matplotlib.ticker import EngFormatter, MaxNLocator  # noqa: PLC0415 - see above

    tops = [0] * len(days)
    for group in groups:
        axes.bar(range(len(days)), group.units, width=0.8, bottom=tops, color=group.color)
        tops = [top + unit for top, unit in zip(tops, group.units, strict=True)]
    step = -(-len(days) // _MOST_DAY_LABELS)
    places = range((len(days) - 1) % step, len(days), step)
    axes.set_xticks(places, [f"{days[place].day} {days[place]:%b}" for place in places])
    # Without the margin, a single bar would fill the whole width.
    margin = max(0.6, (7 - len(days)) / 2)
    axes.set_xlim(-margin, len(days) - 1 + margin)
    axes.set_ylim(0, max(*tops, 1) * 1.04)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.grid(visible=True, color=_GRID, linewidth=2)
    axes.set_axisbelow(True)
    if not groups:
        axes.set_yticks([0], [""])
        axes.text(
            *(0.5, 0.5, text("report-nothing")),
            color=_FAINT,
            fontsize=_LABEL,
            ha="center",
            transform=axes.transAxes,
        )


def _draw_members(axes: "Axes", members: Sequence[tuple[str, int]]) -> None:
    """Draw a bar for each member: names on the left, units at the end of the bar."""
    axes.axis("off")
    # The scale is pixels, so that bars begin right of the names and leave room for numbers.
    axes.set_xlim(0, 920)
    axes.set_ylim(max(1, len(members)) * ROW, 0)
    most = max((units for _, units in members), default=1)
    for place, (name, units) in enumerate(members):
        middle, length = (place + 0.5) * ROW, max(4, 480 * units / most)
        axes.barh(middle, length, left=310, height=34, color=_COLORS[0])
        _write(axes, 0, middle, name)
        _write(axes, 310 + length + 14, middle, str(units))
    if not members:
        _write(axes, 0, ROW / 2, text("report-nothing"))


def _draw_legend(figure: "Figure", height: int, groups: Sequence[Group]) -> None:
    """Draw the legend above the bars, three groups in a row. matplotlib's legend omits names that begin with `_`."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - see above

    if not groups:
        return
    axes = _axes(figure, height, (MARGIN, 82, 920, 88))
    axes.axis("off")
    axes.set_xlim(0, 920)
    axes.set_ylim(88, 0)
    for number, group in enumerate(groups):
        left, middle = 315 * (number % _LEGEND_COLUMNS), 22 + 44 * (number // _LEGEND_COLUMNS)
        axes.add_patch(Rectangle((left, middle - 12), 24, 24, color=group.color))
        _write(axes, left + 36, middle, group.name)


def _draw_title(figure: "Figure", height: int, middle: int, title: str) -> None:
    place = (MARGIN / WIDTH, 1 - middle / height)
    figure.text(*place, title, color=_TEXT, fontsize=_TITLE, fontweight="bold", fontfamily=_FONT, va="center")


def _axes(figure: "Figure", height: int, box: tuple[int, int, int, int]) -> "Axes":
    """Axes without a frame, placed by left, top, width and height in pixels."""
    left, top, wide, high = box
    axes = figure.add_axes(
        (left / WIDTH, 1 - (top + high) / height, wide / WIDTH, high / height), facecolor=_BACKGROUND
    )
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=_FAINT, labelsize=_LABEL, labelfontfamily=_FONT, length=0, pad=8)
    return axes


def _write(axes: "Axes", left: float, middle: float, words: str) -> None:
    """Write words literally: a `$` in a member's name begins no formula."""
    axes.text(left, middle, words, color=_TEXT, fontsize=_LABEL, fontfamily=_FONT, va="center", parse_math=False)


def _nameless(user_id: int) -> str:
    """The end of the member's id, for a member without a drawable name."""
    return text("report-member", digits=f"{user_id % _NAME_DIGITS:04}")


def _fitted(words: str, width: int, size: int) -> str:
    """Words cut to `width` pixels, without letters that the font lacks. matplotlib would warn about those letters."""
    from matplotlib import font_manager  # noqa: PLC0415 - see above

    font = font_manager.get_font(font_manager.findfont(_FONT))
    known = font.get_charmap()
    words = " ".join("".join(letter for letter in words if ord(letter) in known).split())
    font.set_size(size, _DPI)
    for length in range(len(words), 0, -1):
        shown = shorten(words, length)
        font.set_text(shown)
        if font.get_width_height()[0] <= width * _SUBPIXELS:
            return shown
    return ""
