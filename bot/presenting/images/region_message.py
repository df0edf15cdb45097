"""Private messages before a part of a picture is drawn anew: its look, and the directions of a pan."""

from collections.abc import Collection, Sequence
from typing import Final

import discord
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.escaping import alt_text, escape, small
from bot.presenting.jobs import job_buttons
from bot.presenting.jobs.job_message import notice_line
from bot.presenting.jobs.output_files import attachment
from bot.presenting.quota_message import refusal
from bot.presenting.refusal import sentence_of
from bot.presenting.texts import text
from bot.quotas.standing import Outlook
from bot.store.expansions import Expansion
from bot.store.rows.jobs import Job
from pipeline.protocol.limits import MAX_GROW
from pipeline.protocol.requests import GenerationRequest, narrowed

LOOK_NAME: Final = "region.png"
"""File name of the look."""
_MAX_NOTICES: Final = 3


def question(expansion: Expansion, outlook: Outlook) -> ui.LayoutView:
    """The picture with its part tinted, the prompts, the price, and buttons that start the jobs or change the part."""
    request = narrowed(expansion.requests[0], GenerationRequest)
    prompts = [escape(each.prompt, 150) for each in expansion.requests]
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
        discord.MediaGalleryItem(attachment(LOOK_NAME), description=alt_text(text("region-look")))
    )
    notices = dict.fromkeys(notice_line(notice) for job in expansion.jobs for notice in job.notices)
    lines = [
        text("region-question", prompt=prompts[0], more=len(prompts) - 1),
        price_line(outlook),
        *(small(line) for line in [*notices][:_MAX_NOTICES]),
    ]
    if outlook.in_the_way is not None:
        sentence = sentence_of(refusal(outlook.in_the_way))
        lines.append(text("expansion-some", count=outlook.startable, sentence=sentence))
    grow = 0.0 if request.inpaint is None else request.inpaint.grow
    start: ui.Button[ui.LayoutView] = ui.Button(
        label=text("button-draw"),
        style=discord.ButtonStyle.primary,
        custom_id=custom_id(Action.START, expansion.expansion_id),
    )
    row = ui.ActionRow(
        start,
        job_buttons.button(Action.LARGER, expansion.expansion_id, is_disabled=grow >= MAX_GROW),
        job_buttons.button(Action.SMALLER, expansion.expansion_id, is_disabled=grow <= -MAX_GROW),
        job_buttons.button(Action.INVERT, expansion.expansion_id),
    )
    return _layout([gallery, ui.TextDisplay("\n".join(lines)), row])


def pan_choice(job: Job, index: int, possible: Collection[Action], outlook: Outlook) -> ui.LayoutView:
    """Four directions at a price; those in which the picture cannot become longer are disabled.

    The container's id is the timeline of the job, as in its own message.
    """
    row = ui.ActionRow(
        *(
            job_buttons.button(action, job.job_id, index, is_disabled=action not in possible)
            for action in job_buttons.PANS
        )
    )
    return _layout([ui.TextDisplay(f"{text('pan-question')} {price_line(outlook)}"), row], timeline=job.timeline)


def price_line(outlook: Outlook) -> str:
    """The price, and the units that are left."""
    if outlook.left is None:
        return text("redraw-price-unlimited", price=outlook.price)
    return text("redraw-price", price=outlook.price, left=outlook.left)


def _layout(items: Sequence[ui.Item[ui.LayoutView]], *, timeline: int | None = None) -> ui.LayoutView:
    container: ui.Container[ui.LayoutView] = ui.Container(*items, id=timeline)
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # `bot.presenting.jobs.job_message` explains it
    return view
