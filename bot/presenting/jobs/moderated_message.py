"""A message in the hands of moderators: its pictures held back, behind a spoiler, or gone."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import discord
from discord import ui

from bot.presenting.custom_ids import Action
from bot.presenting.escaping import small
from bot.presenting.jobs import job_buttons
from bot.presenting.jobs.job_buttons import button
from bot.presenting.jobs.job_message import BLUE, in_its_language, layout
from bot.presenting.texts import spoken, text
from bot.store.rows.jobs import Job

_NOTE_ID: Final = 910_001
"""Id of the line that says why pictures are behind a spoiler. Discord counts other components from 1."""


@in_its_language
def removed(job: Job) -> ui.LayoutView:
    """What stands in place of pictures that moderators removed. The prompt is gone too, since it may be the reason."""
    container: ui.Container[ui.LayoutView] = ui.Container(
        ui.TextDisplay(text("job-removed", job_id=job.job_id, requester_id=str(job.requester_id))), id=job.timeline
    )
    container.add_item(ui.ActionRow(button(Action.DELETE, job.job_id)))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


@in_its_language
def held(job: Job) -> ui.LayoutView:
    """The job is drawn, and a moderator looks at it before anybody else."""
    return layout(job, BLUE, text("job-held"), *job_buttons.under_way(job))


def veiled(
    job: Job, message: discord.Message, is_veiled: Callable[[str], bool], *, note: str | None = None
) -> ui.LayoutView:
    """The message of a job as it is, with other spoilers.

    Args:
        job: the job.
        message: its message, as Discord has it.
        is_veiled: whether a file of this name is behind a spoiler.
        note: key of a sentence that says why; None for none.
    """
    files = {attachment.filename for attachment in message.attachments}
    view = ui.LayoutView.from_message(message, timeout=None)
    for item in [*_parts_of(view)]:
        if isinstance(item, ui.MediaGallery):
            for shown in item.items:
                name = shown.media.url.partition("?")[0].rpartition("/")[2]
                if name in files:
                    shown.media = f"attachment://{name}"
                    shown.spoiler = is_veiled(name)
        elif isinstance(item, ui.Container):
            for child in [child for child in item.children if child.id == _NOTE_ID]:
                item.remove_item(child)
            if note is not None:
                with spoken(job.origin.locale):
                    item.add_item(ui.TextDisplay(small(text(note)), id=_NOTE_ID))
    view.stop()
    return view


def _parts_of(item: Any) -> Iterator[Any]:
    """The parts of a layout, at every depth."""
    for child in getattr(item, "children", ()):
        yield child
        yield from _parts_of(child)
