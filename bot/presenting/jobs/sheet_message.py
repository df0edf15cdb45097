"""The message of a sheet, and the question before it: pure functions to a layout."""

from collections.abc import Sequence
from typing import Final

import discord
import msgspec
from discord import ui

from bot.errors import Refused
from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.escaping import alt_text, escape, shorten, small
from bot.presenting.jobs.job_message import BLUE, GREEN
from bot.presenting.jobs.output_files import attachment
from bot.presenting.jobs.sheet_ids import SheetAct, sheet_id
from bot.presenting.refusal import sentence_of
from bot.presenting.texts import spoken, text
from bot.store.expansions import Expansion
from bot.store.rows.sheets import Axis, Plan, Sheet

MAX_CHOICES: Final = 25
"""Discord's limit of choices in a menu."""
_MAX_PROMPT: Final = 300
_MAX_VALUES: Final = 400
_MAX_AXES: Final = 600
_MAX_LABEL: Final = 100


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """How far a sheet is: the cells that have a picture, and how many more are coming and have failed."""

    drawn: tuple[int, ...]
    coming: int
    failed: int


def question(expansion: Expansion, plan: Plan, left: int | None) -> ui.LayoutView:
    """The axes, the number of pictures, their price, and two buttons."""
    price = {"count": plan.count, "price": expansion.price}
    lines = [
        text("grid-question", count=plan.count),
        text("your-prompt", prompt=escape(plan.prompt, _MAX_PROMPT)),
        *_axes(plan),
        text("expansion-price-unlimited", **price) if left is None else text("expansion-price", **price, left=left),
    ]
    start: ui.Button[ui.LayoutView] = ui.Button(
        label=text("button-draw"),
        style=discord.ButtonStyle.primary,
        custom_id=custom_id(Action.START, expansion.expansion_id),
    )
    dismiss: ui.Button[ui.LayoutView] = ui.Button(
        label=text("button-dismiss"), custom_id=custom_id(Action.DISMISS, expansion.expansion_id)
    )
    return _layout([ui.TextDisplay("\n".join(lines)), ui.ActionRow(start, dismiss)], discord.Color.blurple())


def started(plan: Plan) -> ui.LayoutView:
    """The question, answered with yes."""
    return _layout([ui.TextDisplay(text("grid-started", count=plan.count))], discord.Color.blurple())


def sheet(shown: Sheet, filled: Filled, file_name: str | None, *, is_veiled: bool) -> ui.LayoutView:
    """The message in its member's language: prompt, axes, the picture of all pictures, and what can be done."""
    with spoken(shown.origin.locale):
        plan = shown.plan
        head = text("grid-head", prompt=escape(plan.prompt, _MAX_PROMPT), requester_id=str(shown.user_id))
        items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay("\n".join([head, *_axes(plan)]))]
        if file_name is not None:
            axes = ", ".join(f"{axis.name} {', '.join(axis.values)}" for axis in _both(plan))
            words = text("alt-grid", prompt=shorten(plan.prompt, _MAX_PROMPT), axes=shorten(axes, _MAX_AXES))
            gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
                discord.MediaGalleryItem(attachment(file_name), description=alt_text(words), spoiler=is_veiled)
            )
            items.append(gallery)
        items.append(ui.TextDisplay(small(_state(shown, filled))))
        items += _menus(shown, filled)
        items.append(ui.ActionRow(_button(SheetAct.CANCEL if filled.coming else SheetAct.DELETE, shown.sheet_id)))
        return _layout(items, BLUE if filled.coming else GREEN)


def labelled(plan: Plan, cell: int) -> str:
    """A cell in words."""
    return f"{cell + 1} · {' · '.join(plan.labels(cell))}"


def _state(shown: Sheet, filled: Filled) -> str:
    parts = [text("grid-drawn", drawn=len(filled.drawn), count=shown.plan.count)]
    if filled.failed:
        parts.append(text("grid-failed", count=filled.failed))
    if shown.refusal is not None:
        parts.append(sentence_of(Refused(shown.refusal.key, **shown.refusal.values)))
    return " ".join(parts)


def _menus(shown: Sheet, filled: Filled) -> list[ui.ActionRow[ui.LayoutView]]:
    """Menus whose choices are the drawn cells, 25 in each."""
    rows: list[ui.ActionRow[ui.LayoutView]] = []
    for number, first in enumerate(range(0, len(filled.drawn), MAX_CHOICES)):
        options = [
            discord.SelectOption(label=shorten(labelled(shown.plan, cell), _MAX_LABEL), value=str(cell))
            for cell in filled.drawn[first : first + MAX_CHOICES]
        ]
        menu: ui.Select[ui.LayoutView] = ui.Select(
            custom_id=sheet_id((SheetAct.TAKE, SheetAct.TAKE_MORE)[number], shown.sheet_id),
            placeholder=text("grid-take"),
            options=options,
        )
        rows.append(ui.ActionRow(menu))
    return rows


def _both(plan: Plan) -> list[Axis]:
    return [axis for axis in (plan.x, plan.y) if axis is not None]


def _axes(plan: Plan) -> list[str]:
    return [
        small(f"{axis.name}: {escape(shorten(', '.join(axis.values), _MAX_VALUES), _MAX_VALUES)}")
        for axis in _both(plan)
    ]


def _button(act: SheetAct, number: int) -> ui.Button[ui.LayoutView]:
    if act is SheetAct.DELETE:
        return ui.Button(emoji="🗑️", style=discord.ButtonStyle.secondary, custom_id=sheet_id(act, number))
    return ui.Button(
        label=text("button-cancel"), emoji="✖️", style=discord.ButtonStyle.secondary, custom_id=sheet_id(act, number)
    )


def _layout(items: Sequence[ui.Item[ui.LayoutView]], color: discord.Color) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(*items, accent_color=color))
    view.stop()  # `bot.presenting.jobs.job_message` explains it
    return view
