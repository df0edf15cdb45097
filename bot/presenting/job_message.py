"""The message of a job in each of its states: pure functions from facts to a components v2 layout.

Each layout is stopped. discord.py keeps a listening view for ever, and Easel finds a button by its custom id
instead (`bot.views`).
"""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Concatenate, Final, ParamSpec

import discord
import msgspec
from discord import ui

from bot.presenting import job_buttons
from bot.presenting.escaping import alt_text, escape, relative
from bot.presenting.links import job_link, parent_link
from bot.presenting.summaries import summary
from bot.presenting.texts import spoken, text
from bot.quotas.pricing import part
from bot.requests.options import arranged
from bot.store.failures import JobFailure
from bot.store.rows import Job, JobStatus
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.messages import Notice
from pipeline.protocol.models import ModelSpec

P = ParamSpec("P")

_BLUE: Final = discord.Color(0x5865F2)
_GREEN: Final = discord.Color(0x57F287)
_RED: Final = discord.Color(0xED4245)
_GREY: Final = discord.Color(0x80848E)


_MAX_NOTICES: Final = 2_000
"""Most characters of all notices together. Discord accepts 4,000 in a message, and the other parts need the rest."""
_DETAILS: Final = ("seed", "steps", "cfg", "sampler", "size", "model", "negative")
"""Order of the options below a picture; other options come after them."""
_ALWAYS_SHOWN: Final = frozenset(("seed", "size", "model"))
WORDS_HIDDEN: Final = Notice(key="notice-words-hidden")
"""A word filter of Discord or of the server blocks the job's prompt, so the message leaves it out."""
SENT_DIRECTLY: Final = Notice(key="notice-handed-over")
"""The job's pictures went to its member in a direct message."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """Units that the requester has left after this job's full price; `left` is None without a limit."""

    left: int | None


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """A waiting job's position, its expected start, and whether the worker must start first."""

    position: int
    starts_at: datetime | None
    is_starting: bool = False


class ShownImage(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of a finished job: its index among the requested ones, and its attachment's name."""

    index: int
    file_name: str
    width: int
    height: int


def in_its_language(
    present: Callable[Concatenate[Job, P], ui.LayoutView],
) -> Callable[Concatenate[Job, P], ui.LayoutView]:
    """Make a presenter use the language of the job's requester."""

    @functools.wraps(present)
    def speaking(job: Job, *args: P.args, **kwargs: P.kwargs) -> ui.LayoutView:
        with spoken(job.locale):
            return present(job, *args, **kwargs)

    return speaking


def image_file_name(job: Job, index: int, extension: str) -> str:
    """A file name of numbers only, since a prompt may be no valid name. The last number is the job's timeline."""
    timeline = f"-{job.timeline:x}" if job.timeline else ""
    return f"easel-{job.job_id}-{index + 1}{timeline}.{extension}"


def is_image_of(job: Job, file_name: str) -> bool:
    """Whether a file is a finished image of this job. Previews and images of another timeline are not."""
    stem = file_name.partition(".")[0]
    return any(image_file_name(job, index, "").removesuffix(".") == stem for index in range(job.request.output_count))


@in_its_language
def queued(job: Job, prospect: Prospect) -> ui.LayoutView:
    """The job waits for its turn or for the worker."""
    price = _small(text("job-price", price=job.price))
    return _layout(job, _GREY, f"{prospect_line(prospect)}\n{price}", *job_buttons.under_way(job))


def prospect_line(prospect: Prospect) -> str:
    """A waiting job's position in one or two sentences."""
    position, starts_at = prospect.position, prospect.starts_at
    if starts_at is None:
        return text("job-starting" if prospect.is_starting else "job-queued", position=position)
    key = "job-starting-starts" if prospect.is_starting else "job-queued-starts"
    return text(key, position=position, starts=relative(starts_at))


@in_its_language
def waiting_again(job: Job) -> ui.LayoutView:
    """The job is back in the queue after the loss of the worker."""
    return _layout(job, _GREY, text("job-waiting-again"), *job_buttons.under_way(job))


@in_its_language
def loading(job: Job, *, starts_at: datetime | None = None) -> ui.LayoutView:
    """The worker first loads the model. `starts_at` is set only if it is known and late enough to mention."""
    line = text("job-loading") if starts_at is None else text("job-loading-starts", starts=relative(starts_at))
    return _layout(job, _BLUE, line, *job_buttons.under_way(job))


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
    return _layout(job, _BLUE, line, *_preview(job, preview_name), *job_buttons.under_way(job))


@in_its_language
def unkept(job: Job, *, preview_name: str | None) -> ui.LayoutView:
    """The job is drawn and waits for free disk space. It can no longer be cancelled."""
    return _layout(job, _RED, text("job-unkept", count=job.request.output_count), *_preview(job, preview_name))


@in_its_language
def done(job: Job, *, images: tuple[ShownImage, ...], spec: ModelSpec | None, allowance: Allowance) -> ui.LayoutView:
    """The pictures, their details, and the buttons."""
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
        *(
            discord.MediaGalleryItem(
                _attachment(image.file_name),
                description=alt_text(
                    text("alt-image", number=image.index + 1, count=job.request.output_count, prompt=_prompt(job))
                ),
            )
            for image in images
        )
    )
    notices = _notice_lines(job)
    details = _small(" · ".join(_details(job, images, spec, allowance)))
    can_vary = spec is None or spec.can(Capability.VARIATIONS)
    return _layout(
        job,
        _GREEN,
        None,
        gallery,
        ui.TextDisplay("\n".join([*notices, details])),
        *job_buttons.done(job, [image.index for image in images], can_vary=can_vary),
        is_shown_with_notices=False,
    )


@in_its_language
def cancelled(job: Job) -> ui.LayoutView:
    """The job was cancelled, by its owner or by somebody with the right to."""
    if job.cancel_requested_by in (None, job.requester_id):
        line = text("job-cancelled")
    else:
        line = text("job-cancelled-by", actor_id=job.cancel_requested_by or 0)
    return _layout(job, _GREY, line, *job_buttons.over(job))


@in_its_language
def flagged(job: Job) -> ui.LayoutView:
    """The job was drawn, and the safety filter hid every image."""
    return _layout(job, _GREY, text("job-flagged", count=job.request.output_count), *job_buttons.over(job))


@in_its_language
def failed(job: Job) -> ui.LayoutView:
    """The cause of the failure, the remedy, and the error id for the owner's log."""
    line = text("job-failed", sentence=_sentence(job), error_id=job.error_id or "-")
    return _layout(job, _RED, line, *job_buttons.over(job))


@in_its_language
def moved(job: Job) -> ui.LayoutView:
    """The old message of a job, which Discord no longer lets us edit: a link to the job's new message."""
    return _layout(job, _GREY, text("job-moved", job=job_link(job)))


@in_its_language
def sent_directly(job: Job) -> ui.LayoutView:
    """The message of a job whose pictures went to its member directly, since the message could not show them."""
    return _layout(job, _GREEN, text("job-handed-over", requester_id=str(job.requester_id)))


def ended(job: Job) -> ui.LayoutView:
    """The end of a job without pictures here."""
    if job.status is JobStatus.CANCELLED:
        return cancelled(job)
    return flagged(job) if job.failure is JobFailure.FLAGGED else failed(job)


def end_sentence(job: Job) -> str:
    """The end of a job without pictures in one sentence, for a direct message."""
    with spoken(job.locale):
        if job.status is JobStatus.CANCELLED:
            sentence = text("job-cancelled")
        elif job.failure is JobFailure.FLAGGED:
            sentence = text("job-flagged", count=job.request.output_count)
        else:
            sentence = text("job-failed", sentence=_sentence(job), error_id=job.error_id or "-")
        return text("told-over", job=job_link(job), sentence=sentence)


def notice_line(notice: Notice) -> str:
    """A notice as a sentence. Words of members are escaped."""
    values = {name: escape(value, 200) if isinstance(value, str) else value for name, value in notice.values.items()}
    return text(notice.key, **values)


def _layout(
    job: Job,
    color: discord.Color,
    line: str | None,
    *items: ui.Item[ui.LayoutView],
    is_shown_with_notices: bool = True,
) -> ui.LayoutView:
    """Head, one line about the state, notices, then the items of the state."""
    head = text(
        "job-head",
        prompt=escape(_prompt(job)),
        kind=job.started_by.value,
        parent="" if job.lineage is None else parent_link(job, job.lineage),
        requester_id=str(job.requester_id),
    )
    lines = [] if line is None else [line]
    if is_shown_with_notices:
        lines += _notice_lines(job)
    # The container's id is the timeline of the message: see `bot.calls.recognizing`.
    container: ui.Container[ui.LayoutView] = ui.Container(
        ui.TextDisplay(head), accent_color=color, id=job.timeline or None
    )
    if lines:
        container.add_item(ui.TextDisplay("\n".join(lines)))
    for item in items:
        container.add_item(item)
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


def _details(job: Job, images: tuple[ShownImage, ...], spec: ModelSpec | None, allowance: Allowance) -> list[str]:
    """Differences from the model's defaults, and always the seed, the time and the price."""
    request = job.request
    delivered = (images[0].width, images[0].height)
    hidden = {"images", *(["negative"] if WORDS_HIDDEN in job.notices else [])}
    details = [
        summary(option, request, spec, delivered=delivered)
        for option in arranged(_DETAILS)
        if option.name not in hidden
        and (option.name in _ALWAYS_SHOWN or spec is None or not option.is_usual(request, spec))
    ]
    details = [words for words in details if words]
    if job.total_s is not None:
        details.append(text("detail-time", seconds=f"{job.total_s:.1f}"))
    charged = part(job.price, delivered=len(images), asked=request.output_count)
    if len(images) < request.output_count:
        details.append(text("detail-partial", count=len(images), asked=request.output_count))
    if allowance.left is not None:
        details.append(text("detail-price", price=charged, left=str(allowance.left + job.price - charged)))
    return details


def _sentence(job: Job) -> str:
    """The reason of a job's failure."""
    return text(f"failure-{job.failure or JobFailure.INTERNAL}")


def _prompt(job: Job) -> str:
    """The job's prompt, or a substitute if a word filter blocks it."""
    return text("job-words-hidden") if WORDS_HIDDEN in job.notices else job.request.prompt


def _notice_lines(job: Job) -> list[str]:
    """Notices, as many as fit. Notices with hidden words are left out."""
    is_hidden = WORDS_HIDDEN in job.notices
    notices = [notice for notice in job.notices if not (is_hidden and _has_words(notice))]
    lines = [_small(notice_line(notice)) for notice in notices]
    room = _MAX_NOTICES
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return [*lines[:number], _small(text("notice-more", count=len(lines) - number))]
    return lines


def _has_words(notice: Notice) -> bool:
    return any(isinstance(value, str) for value in notice.values.values())


def _preview(job: Job, file_name: str | None) -> list[ui.MediaGallery[ui.LayoutView]]:
    """The newest preview, if there is one."""
    if file_name is None:
        return []
    description = alt_text(text("alt-preview", prompt=_prompt(job)))
    return [ui.MediaGallery(discord.MediaGalleryItem(_attachment(file_name), description=description))]


def _small(line: str) -> str:
    return f"-# {line}"


def _attachment(file_name: str) -> str:
    return f"attachment://{file_name}"
