"""The message of a sheet: it fits Discord's bounds, whatever its axes hold, and offers what can be done."""

from datetime import UTC, datetime

import pytest
from discord import ui

from bot.presenting.jobs import sheet_message
from bot.presenting.jobs.sheet_message import Filled
from bot.store.expansions import Expansion
from bot.store.rows.jobs import WantedJob
from bot.store.rows.origin import Asker, StartedBy
from bot.store.rows.sheets import Axis, AxisName, Plan, Refusal, Sheet
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_origin

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NASTY = "**@everyone** [x](https://x.y) "
PLAN = Plan(prompt=NASTY * 60, x=Axis(name=AxisName.WORDS, values=tuple(f"{NASTY * 9}{k}" for k in range(36))))


def sheet_of(request: GenerationRequest, refusal: Refusal | None = None) -> Sheet:
    asker = Asker(guild_id=5, channel_id=6, user_id=42)
    return Sheet(
        sheet_id=9,
        guild_id=5,
        user_id=42,
        message_id=77,
        plan=PLAN,
        jobs=(WantedJob(request=request, notices=()),) * 36,
        origin=example_origin(asker, interaction_id=-900),
        refusal=refusal,
        created_at=NOW,
        ended_at=None,
    )


def custom_ids(view: ui.LayoutView) -> list[str]:
    return [
        item.custom_id for item in view.walk_children() if isinstance(item, ui.Button | ui.Select) and item.custom_id
    ]


def test_a_full_sheet_fits_and_each_cell_can_be_taken_out(request_: GenerationRequest) -> None:
    filled = Filled(drawn=tuple(range(36)), coming=0, failed=0)
    view = sheet_message.sheet(sheet_of(request_), filled, "sheet.webp", is_veiled=False)
    assert view.content_length() <= 4_000
    assert custom_ids(view) == ["easel-cell:take:9", "easel-cell:take-more:9", "easel-sheet:delete:9"]
    options = [item.options for item in view.walk_children() if isinstance(item, ui.Select)]
    assert [option.value for menu in options for option in menu] == [str(cell) for cell in range(36)]
    assert max(len(option.label) for menu in options for option in menu) <= 100
    words = "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))
    assert words.count("@everyone") == words.count("\\@everyone") > 0


@pytest.mark.parametrize(
    ("filled", "refusal", "last", "words"),
    [
        (Filled(drawn=(), coming=36, failed=0), None, "cancel", "0 of 36 drawn."),
        (Filled(drawn=(1,), coming=2, failed=1), Refusal(key="grid-cancelled", values={}), "cancel", "The rest was"),
        (Filled(drawn=(1,), coming=0, failed=3), None, "delete", "3 could not be drawn"),
    ],
)
def test_a_sheet_can_be_cancelled_until_nothing_comes(
    request_: GenerationRequest, filled: Filled, refusal: Refusal | None, last: str, words: str
) -> None:
    view = sheet_message.sheet(sheet_of(request_, refusal), filled, None, is_veiled=False)
    assert custom_ids(view)[-1] == f"easel-sheet:{last}:9"
    assert any(words in item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def test_the_question_fits_and_has_the_price(request_: GenerationRequest) -> None:
    expansion = Expansion(
        guild_id=5,
        channel_id=6,
        user_id=42,
        started_by=StartedBy.GRID,
        lineage=None,
        jobs=(WantedJob(request=request_, notices=()),) * 36,
        price=36,
        plan=PLAN,
        expansion_id=9,
        created_at=NOW,
        started_at=None,
    )
    view = sheet_message.question(expansion, PLAN, 50)
    assert view.content_length() <= 4_000
    assert custom_ids(view) == ["easel:start:9", "easel:dismiss:9"]
    assert any(
        "cost 36; you have 50 left" in item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay)
    )
