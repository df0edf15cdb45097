"""Messages about cutouts: while the job runs, when it is done, and `ℹ️`."""  # noqa: RUF002 - the sign for information

from collections.abc import Sequence
from datetime import datetime

import discord
from discord import ui

from bot.presenting.details import cost_lines, head_lines, network_lines, title_and_license, view_of
from bot.presenting.escaping import alt_text, escape, small
from bot.presenting.jobs import job_buttons
from bot.presenting.jobs.job_message import (
    BLUE,
    GREEN,
    Allowance,
    cost,
    duration,
    in_its_language,
    layout,
    notice_lines,
)
from bot.presenting.jobs.output_files import ShownOutput, attachment, veil_lines
from bot.presenting.texts import text
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output
from pipeline.protocol.catalogue.networks import CutoutSpec
from pipeline.protocol.requests import CutoutRequest, narrowed


@in_its_language
def running(
    job: Job, *, step: int, total_steps: int, ends_at: datetime | None, preview_name: str | None
) -> ui.LayoutView:
    """The foreground is being found. That is one step, so there is neither progress nor a preview."""
    del step, total_steps, ends_at, preview_name
    return layout(job, BLUE, text("job-cutting"), *job_buttons.under_way(job))


@in_its_language
def done(job: Job, *, outputs: tuple[ShownOutput, ...], spec: CutoutSpec | None, allowance: Allowance) -> ui.LayoutView:
    """The cutout, a summary, and buttons to keep it."""
    sizes = _sizes(job)
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
        *(
            discord.MediaGalleryItem(
                attachment(output.file_name),
                description=alt_text(text("alt-cutout", **sizes)),
                spoiler=output.is_veiled,
            )
            for output in outputs
        )
    )
    title = escape(job.request.model_key if spec is None else spec.title)
    parts = [text("summary-cutout", **sizes), title, duration(job), cost(job, len(outputs), allowance)]
    line = small(" · ".join(filter(None, parts)))
    return layout(
        job,
        GREEN,
        None,
        gallery,
        ui.TextDisplay("\n".join([*notice_lines(job), *veil_lines(outputs), line])),
        job_buttons.keeping(job),
        is_shown_with_notices=False,
    )


def details(
    job: Job, spec: CutoutSpec | None, outputs: Sequence[Output]
) -> tuple[ui.LayoutView, list[tuple[str, bytes]]]:
    """The facts of a cutout; the arguments are those of the details of an enlarged picture."""
    del outputs  # the size follows from the request
    title, licence = title_and_license(job, spec)
    lines = [
        *head_lines(job),
        text("details-cutout", network=title, licence=licence),
        *cost_lines(job),
        *network_lines(job),
    ]
    return view_of(ui.Container(ui.TextDisplay("\n".join(lines)))), []


def _sizes(job: Job) -> dict[str, str | int]:
    request = narrowed(job.request, CutoutRequest)
    return {"width": request.width, "height": request.height}
