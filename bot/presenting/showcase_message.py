"""A message of the showcase: a member's pictures, whose they are, and how many others like them."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.presenting.escaping import escape
from bot.presenting.jobs.job_message import BLUE, WORDS_HIDDEN
from bot.presenting.jobs.output_files import attachment
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.store.rows.jobs import Job

_MAX_PROMPT = 300


def exhibit(job: Job, stars: int, file_names: Sequence[str]) -> ui.LayoutView:
    """The message, in the server's language.

    Args:
        job: the shown job.
        stars: number of other members who keep its pictures.
        file_names: names of the attached pictures.
    """
    sentence = text("showcase-exhibit", stars=stars, requester_id=str(job.requester_id), job=job_link(job))
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay(sentence), accent_color=BLUE)
    if job.request.prompt and WORDS_HIDDEN not in job.notices:
        container.add_item(ui.TextDisplay(escape(job.request.prompt, _MAX_PROMPT)))
    pictures = (discord.MediaGalleryItem(attachment(name)) for name in file_names)
    container.add_item(ui.MediaGallery(*pictures))
    return _view(container)


def beginning() -> ui.LayoutView:
    """The first message in a showcase: it shows that Easel may write there."""
    return _view(ui.TextDisplay(text("showcase-begin")))


def _view(item: "ui.Item[ui.LayoutView]") -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(item)
    view.stop()
    return view
