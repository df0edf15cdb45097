"""A page of a history: up to four pictures, a line about each, and a column of buttons for each."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.escaping import alt_text, escape, small
from bot.presenting.history.ids import Turn, open_id, turn_id
from bot.presenting.jobs.job_message import prompt_of
from bot.presenting.jobs.output_files import attachment
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.store.rows.history import Past, Shelf, Sought
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Rating

_MAX_PROMPT: Final = 120
_MAX_TITLE: Final = 40

Button = ui.Button[ui.LayoutView]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a page: the name of its attachment, its model's title, and the actions that it offers."""

    past: Past
    file_name: str
    model_title: str
    actions: frozenset[Action]


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around the pictures: the search, the title of its model, and whether there are other pages.

    `hides_some` says that the member has pictures that may not be shown in this place.
    """

    sought: Sought
    model_title: str
    has_newer: bool
    has_older: bool
    hides_some: bool


def page(shown: Sequence[Shown], frame: Frame) -> ui.LayoutView:
    """The layout; without pictures, a sentence says what to do."""
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay(_head(frame)))
    if shown:
        container.add_item(ui.MediaGallery(*(_item(picture) for picture in shown)))
        lines = [_line(number, picture) for number, picture in enumerate(shown, 1)]
        container.add_item(ui.TextDisplay("\n".join(lines)))
        for row in _rows(shown):
            container.add_item(ui.ActionRow(*row))
        container.add_item(ui.ActionRow(*_turns(shown, frame)))
    else:
        container.add_item(ui.TextDisplay(text(_nothing(frame.sought))))
    if frame.hides_some:
        container.add_item(ui.TextDisplay(small(text("history-adults"))))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # `bot.presenting.jobs.job_message` explains it
    return view


def _head(frame: Frame) -> str:
    """The title, and what was looked for."""
    sought = frame.sought
    is_starred = sought.shelf is not Shelf.OWN
    lines = [text("history-head-favourites" if sought.shelf is Shelf.FAVOURITES else "history-head")]
    parts = [
        text("history-words", words=escape(sought.words)) if sought.words else "",
        escape(frame.model_title, _MAX_TITLE) if sought.model_mark else "",
        "" if sought.since is None else text("history-since", day=_day(sought.since.timestamp())),
        "" if sought.before is None else text("history-until", day=_day(sought.before.timestamp() - 1)),
        "⭐" if is_starred and sought.shelf is Shelf.STARRED else "",
    ]
    if any(parts):
        lines.append(small(" · ".join(filter(None, parts))))
    return "\n".join(lines)


def _nothing(sought: Sought) -> str:
    if sought.words or sought.model_mark or sought.since or sought.before:
        return "history-nothing-fits"
    return "history-nothing" if sought.shelf is Shelf.OWN else "history-nothing-starred"


def _item(picture: Shown) -> discord.MediaGalleryItem:
    return discord.MediaGalleryItem(
        attachment(picture.file_name),
        description=alt_text(prompt_of(picture.past.job)),
        spoiler=picture.past.output.rating is not Rating.HARMLESS,
    )


def _line(number: int, picture: Shown) -> str:
    job = picture.past.job
    return text(
        "history-line",
        number=number,
        job=job_link(job),
        prompt=escape(prompt_of(job), _MAX_PROMPT),
        model=escape(picture.model_title, _MAX_TITLE),
        day=_day(job.created_at.timestamp()),
        star=" ⭐" if picture.past.is_starred else "",
    )


def _rows(shown: Sequence[Shown]) -> Iterable[list[Button]]:
    """A row for each thing to do, with a button for each picture that can do it."""
    rows = [
        _row(shown, Action.UPSCALE, lambda number: f"U{number}"),
        _row(shown, Action.VARY_STRONG, lambda number: f"V{number}"),
        _row(shown, Action.STAR, lambda number: f"⭐ {number}"),
        [
            _button(text("history-open", number=number), open_id(picture.past.spot))
            for number, picture in enumerate(shown, 1)
        ],
    ]
    return (row for row in rows if row)


def _row(shown: Sequence[Shown], action: Action, label: Callable[[int], str]) -> list[Button]:
    return [
        _button(label(number), custom_id(action, picture.past.spot.job_id, picture.past.spot.index))
        for number, picture in enumerate(shown, 1)
        if action in picture.actions
    ]


def _turns(shown: Sequence[Shown], frame: Frame) -> list[Button]:
    first, last = shown[0].past.spot, shown[-1].past.spot
    newer = _button(text("history-newer"), turn_id(Turn.NEWER, frame.sought, first))
    older = _button(text("history-older"), turn_id(Turn.OLDER, frame.sought, last))
    newer.disabled, older.disabled = not frame.has_newer, not frame.has_older
    return [newer, older, _button(text("history-zip"), turn_id(Turn.ZIP, frame.sought))]


def _button(label: str, button_id: str) -> Button:
    return ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=button_id)


def _day(timestamp: float) -> str:
    return f"<t:{int(timestamp)}:d>"


def is_drawn_and_small(past: Past) -> bool:
    """Whether a picture can be enlarged by drawing it again: it was drawn, and was not enlarged before."""
    request = past.job.request
    return isinstance(request, GenerationRequest) and request.upscale is None and request.tiles is None
