"""What a server used: the table, the sentence, and the picture."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot.presenting.admin import report
from bot.presenting.admin.report_chart import WIDTH, chart
from bot.store.members.ledger import Use

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)


def use(at: datetime = NOW, *, user: int = 1, name: str = "Ada", model: str = "pocket", units: int = 2) -> Use:
    return Use(user_id=user, user_name=name, model_key=model, units=units, outputs=1, at=at)


def table(uses: list[Use], time_zone: str = "UTC") -> list[list[str]]:
    head, *rows = csv.reader(io.StringIO(report.csv(uses, time_zone=time_zone).decode("utf-8-sig")))
    assert head == ["day", "user id", "user name", "model", "jobs", "images", "units"]
    return rows


def draw(uses: list[Use], days: int = 7) -> Image.Image:
    return Image.open(
        io.BytesIO(chart(uses, since=report.first_day(NOW, days, "UTC"), now=NOW, time_zone="UTC"))
    ).convert("RGB")


def test_jobs_are_summed_by_day_member_and_model() -> None:
    uses = [use(), use(units=3), use(model="sdxl"), use(user=2, name="Ben"), use(NOW + timedelta(days=1))]
    assert table(uses) == [
        ["2026-05-07", "1", "Ada", "pocket", "2", "2", "5"],
        ["2026-05-07", "1", "Ada", "sdxl", "1", "1", "2"],
        ["2026-05-07", "2", "Ben", "pocket", "1", "1", "2"],
        ["2026-05-08", "1", "Ada", "pocket", "1", "1", "2"],
    ]
    assert report.summary(uses, 7) == "The last 7 days: 11 used by 2 members in 5 jobs."


def test_days_begin_where_the_server_is() -> None:
    late = datetime(2026, 5, 7, 23, 30, tzinfo=UTC)
    assert table([use(late)], "Europe/Berlin")[0][0] == "2026-05-08"
    assert report.first_day(late, 1, "Europe/Berlin").isoformat() == "2026-05-08T00:00:00+02:00"
    assert report.first_day(late, 7, "UTC").isoformat() == "2026-05-01T00:00:00+00:00"


def test_a_member_has_the_newest_of_their_names() -> None:
    assert report.names_of([use(name="Old"), use(name="New"), use(name="")]) == {1: "New"}


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2", "+3", "\tx", "\r=x", "＝1"])
def test_no_name_is_a_formula(name: str) -> None:
    assert table([use(name=name)])[0][2] == f"'{name}"


def test_commas_and_quotes_stay_in_their_cell() -> None:
    assert table([use(name='a,"b"\nc')])[0][2] == 'a,"b"\nc'


def test_the_picture_is_readable_at_the_width_of_a_phone() -> None:
    picture = draw([use(), use(user=2, name="Ben", units=9)])
    assert picture.width == WIDTH
    colors = _colors(picture)
    background = max(colors, key=colors.__getitem__)
    text = max((color for color in colors if min(color) > 220), key=colors.__getitem__)
    assert _contrast(background, text) > 7


def test_more_use_is_a_taller_bar() -> None:
    yesterday = use(NOW - timedelta(days=1), units=10)
    assert _inked(draw([yesterday, use(units=9)])) > _inked(draw([yesterday, use(units=1)])) > 0


@pytest.mark.parametrize(
    "uses",
    [
        [],
        [use(name="名前 🎨 " * 9)],
        [use(name="")],
        [use(name="$x^2$ \\frac")],
        [use(user=number, name=f"member {number}", model=f"model {number % 9}") for number in range(40)],
        [use(units=10**12)],
    ],
    ids=["nothing", "wide letters", "nameless", "mathematics", "many", "a lot"],
)
@pytest.mark.parametrize("days", [1, 7, 90])
def test_every_server_has_a_picture(uses: list[Use], days: int) -> None:
    assert draw(uses, days).height > 200


def _colors(picture: Image.Image) -> dict[tuple[int, ...], int]:
    """How many pixels have each colour."""
    return {color: count for count, color in picture.getcolors(1 << 20) or [] if isinstance(color, tuple)}


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """WCAG 2.1's ratio of the luminances of two colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: tuple[int, ...]) -> float:
    parts = [value / 255 for value in color]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _inked(picture: Image.Image) -> int:
    return _colors(picture).get((0x57, 0xB8, 0xFF), 0)
