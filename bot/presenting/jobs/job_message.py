"""The message of a job in each of its states: pure functions from facts to a components v2 layout.

Each layout is stopped. discord.py keeps a listening view for ever, and Easel finds a button by its custom id
instead (`bot.views`).
"""

import functools
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Concatenate, Final, ParamSpec

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import Action
from bot.presenting.escaping import alt_text, escape, relative, small
from bot.presenting.jobs import job_buttons
from bot.presenting.jobs.output_files import attachment
from bot.presenting.links import job_link, parent_link
from bot.presenting.texts import spoken, text
from bot.quotas.pricing import part
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus
from pipeline.protocol.wire.outputs import Notice

P = ParamSpec("P")

BLUE: Final = discord.Color(0x5865F2)
GREEN: Final = discord.Color(0x57F287)
_RED: Final = discord.Color(0xED4245)
_GREY: Final = discord.Color(0x80848E)


_MAX_NOTICES: Final = 2_000
"""Most characters of all notices together. Discord accepts 4,000 in a message, and the other parts need the rest."""
WORDS_HIDDEN: Final = Notice(key="notice-words-hidden")
"""A word filter of Discord or of the server blocks the job's prompt, so the message leaves it out."""
SENT_DIRECTLY: Final = Notice(key="notice-handed-over")
"""The job's pictures went to its member in a direct message."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """Units that the requester has left after this job's full price; `left` is None without a limit."""

    left: int | None


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """A waiting job's position and its expected start.

    Attributes:
        position: its place in line, 1 for the next.
        starts_at: its expected start; None if that is unknown or right now.
        is_starting: whether the worker must start first.
        absent_model: title of its model if no worker has it now; else empty.
    """

    position: int
    starts_at: datetime | None
    is_starting: bool = False
    absent_model: str = ""


def in_its_language(
    present: Callable[Concatenate[Job, P], ui.LayoutView],
) -> Callable[Concatenate[Job, P], ui.LayoutView]:
    """Make a presenter use the language of the job's requester."""

    @functools.wraps(present)
    def speaking(job: Job, *args: P.args, **kwargs: P.kwargs) -> ui.LayoutView:
        with spoken(job.origin.locale):
            return present(job, *args, **kwargs)

    return speaking


@in_its_language
def queued(job: Job, prospect: Prospect) -> ui.LayoutView:
    """The job waits for its turn or for the worker."""
    price = small(text("job-price", price=job.price))
    return layout(job, _GREY, f"{prospect_line(prospect)}\n{price}", *job_buttons.under_way(job))


def prospect_line(prospect: Prospect) -> str:
    """A waiting job's position in one or two sentences."""
    position, starts_at = prospect.position, prospect.starts_at
    if prospect.absent_model:
        return text("job-absent-model", position=position, model=prospect.absent_model)
    if starts_at is None:
        return text("job-starting" if prospect.is_starting else "job-queued", position=position)
    key = "job-starting-starts" if prospect.is_starting else "job-queued-starts"
    return text(key, position=position, starts=relative(starts_at))


@in_its_language
def waiting_again(job: Job) -> ui.LayoutView:
    """The job is back in the queue after the loss of the worker."""
    return layout(job, _GREY, text("job-waiting-again"), *job_buttons.under_way(job))


@in_its_language
def loading(job: Job, *, starts_at: datetime | None = None) -> ui.LayoutView:
    """The worker first loads the model. `starts_at` is set only if it is known and late enough to mention."""
    line = text("job-loading") if starts_at is None else text("job-loading-starts", starts=relative(starts_at))
    return layout(job, BLUE, line, *job_buttons.under_way(job))


@in_its_language
def running(
    job: Job, *, step: int, total_steps: int, ends_at: datetime | None, preview_name: str | None
) -> ui.LayoutView:
    """The job is being drawn; the layout shows the newest preview, if there is one."""
    percent = 100 * step // total_steps
    if ends_at is None:
        line = text("job-running", percent=percent, step=step, total=total_steps)
    else:
        line = text("job-running-ends", percent=percent, step=step, total=total_steps, ends=relative(ends_at))
    return layout(job, BLUE, line, *_preview(job, preview_name), *job_buttons.under_way(job))


@in_its_language
def unkept(job: Job, *, preview_name: str | None) -> ui.LayoutView:
    """The job is drawn and waits for free disk space. It can no longer be cancelled."""
    return layout(job, _RED, text("job-unkept", count=job.request.output_count), *_preview(job, preview_name))


@in_its_language
def moved(job: Job) -> ui.LayoutView:
    """The old message of a job, which Discord no longer lets us edit: a link to the job's new message."""
    return layout(job, _GREY, text("job-moved", job=job_link(job)))


@in_its_language
def sent_directly(job: Job) -> ui.LayoutView:
    """The message of a job whose pictures went to its member directly, since the message could not show them."""
    return layout(job, GREEN, text("job-handed-over", requester_id=str(job.requester_id)))


def forgotten(job: Job, locale: str) -> ui.LayoutView:
    """The message of a job whose member had it deleted, in the language that the job had: a placeholder."""
    with spoken(locale):
        container: ui.Container[ui.LayoutView] = ui.Container(
            ui.TextDisplay(text("job-forgotten")), accent_color=_GREY, id=job.timeline
        )
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


@in_its_language
def ended(job: Job, actions: Collection[Action]) -> ui.LayoutView:
    """The end of a job without outputs here: it was cancelled, every output was hidden, or it failed.

    Args:
        job: the job, by its present status.
        actions: the buttons of its kind.
    """
    buttons = job_buttons.over(job, actions)
    if job.status is JobStatus.CANCELLED:
        return layout(job, _GREY, _cancelled(job), *buttons)
    if job.failure is JobFailure.FLAGGED:
        return layout(job, _GREY, text("job-flagged", count=job.request.output_count), *buttons)
    return layout(job, _RED, text("job-failed", sentence=_sentence(job), error_id=job.error_id or "-"), *buttons)


def end_sentence(job: Job) -> str:
    """The end of a job without pictures in one sentence, for a direct message."""
    with spoken(job.origin.locale):
        if job.status is JobStatus.CANCELLED:
            sentence = text("job-cancelled")
        elif job.failure is JobFailure.FLAGGED:
            sentence = text("job-flagged", count=job.request.output_count)
        else:
            sentence = text("job-failed", sentence=_sentence(job), error_id=job.error_id or "-")
        return text("notify-over", job=job_link(job), sentence=sentence)


def notice_line(notice: Notice) -> str:
    """A notice as a sentence. Words of members are escaped."""
    values = {name: escape(value, 200) if isinstance(value, str) else value for name, value in notice.values.items()}
    return text(notice.key, **values)


def layout(
    job: Job,
    color: discord.Color,
    line: str | None,
    *items: ui.Item[ui.LayoutView],
    is_shown_with_notices: bool = True,
) -> ui.LayoutView:
    """Head, one line about the state, notices, then the items of the state."""
    head = text(
        "job-head",
        prompt=escape(prompt_of(job)),
        kind=job.origin.started_by.value,
        parent="" if job.origin.lineage is None else parent_link(job, job.origin.lineage),
        requester_id=str(job.requester_id),
    )
    lines = [] if line is None else [line]
    if is_shown_with_notices:
        lines += notice_lines(job)
    # The container's id is the timeline of the message: see `bot.calls.recognizing`.
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay(head), accent_color=color, id=job.timeline)
    if lines:
        container.add_item(ui.TextDisplay("\n".join(lines)))
    for item in items:
        container.add_item(item)
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


def duration(job: Job) -> str:
    """A finished job's duration; empty if it is unknown."""
    return "" if job.total_s is None else text("summary-time", seconds=f"{job.total_s:.1f}")


def cost(job: Job, delivered: int, allowance: Allowance) -> str:
    """The price of a job's delivered outputs, and the units left; empty without a limit."""
    if allowance.left is None:
        return ""
    charged = part(job.price, delivered=delivered, requested=job.request.output_count)
    return text("summary-price", price=charged, left=str(allowance.left + job.price - charged))


def _cancelled(job: Job) -> str:
    """Who cancelled a job: its requester, or somebody with the right to."""
    if job.cancel_requested_by in (None, job.requester_id):
        return text("job-cancelled")
    return text("job-cancelled-by", actor_id=job.cancel_requested_by or 0)


def _sentence(job: Job) -> str:
    """The reason of a job's failure."""
    return text(f"failure-{job.failure or JobFailure.INTERNAL}")


def prompt_of(job: Job) -> str:
    """The job's prompt, or a substitute if a word filter blocks it."""
    return text("job-words-hidden") if WORDS_HIDDEN in job.notices else words_of(job)


def words_of(job: Job) -> str:
    """The job's prompt, or a substitute if it has none."""
    return job.request.prompt or text("job-without-words")


def notice_lines(job: Job) -> list[str]:
    """Notices, as many as fit. Notices with hidden words are left out."""
    is_hidden = WORDS_HIDDEN in job.notices
    notices = [notice for notice in job.notices if not (is_hidden and _has_words(notice))]
    lines = [small(notice_line(notice)) for notice in notices]
    room = _MAX_NOTICES
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return [*lines[:number], small(text("notice-more", count=len(lines) - number))]
    return lines


def _has_words(notice: Notice) -> bool:
    return any(isinstance(value, str) for value in notice.values.values())


def _preview(job: Job, file_name: str | None) -> list[ui.MediaGallery[ui.LayoutView]]:
    """The newest preview, if there is one."""
    if file_name is None:
        return []
    description = alt_text(text("alt-preview", prompt=prompt_of(job)))
    return [ui.MediaGallery(discord.MediaGalleryItem(attachment(file_name), description=description))]
