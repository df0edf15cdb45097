"""Messages about enlarged pictures: while the job runs, when it is done, and `ℹ️`."""  # noqa: RUF002 - the sign for information

from collections.abc import Sequence
from datetime import datetime

import discord
from discord import ui

from bot.presenting.details import cost_lines, head_lines, network_lines, title_and_license, view_of
from bot.presenting.escaping import alt_text, escape, relative, small
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
    prompt_of,
)
from bot.presenting.jobs.output_files import ShownOutput, attachment, veil_lines
from bot.presenting.texts import text
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output
from pipeline.protocol.catalogue.networks import UpscalerSpec
from pipeline.protocol.requests import UpscaleRequest, narrowed


@in_its_language
def running(
    job: Job, *, step: int, total_steps: int, ends_at: datetime | None, preview_name: str | None
) -> ui.LayoutView:
    """The picture is being enlarged. There is no preview."""
    del preview_name
    percent = 100 * step // total_steps
    if ends_at is None:
        line = text("job-enlarging", percent=percent)
    else:
        line = text("job-enlarging-ends", percent=percent, ends=relative(ends_at))
    return layout(job, BLUE, line, *job_buttons.under_way(job))


@in_its_language
def done(
    job: Job, *, outputs: tuple[ShownOutput, ...], spec: UpscalerSpec | None, allowance: Allowance
) -> ui.LayoutView:
    """The enlarged picture, a summary, and buttons for jobs that start from it."""
    request = narrowed(job.request, UpscaleRequest)
    sizes = _sizes(request)
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
        *(
            discord.MediaGalleryItem(
                attachment(output.file_name),
                description=alt_text(text("alt-enlarged", prompt=prompt_of(job), **sizes)),
                spoiler=output.is_veiled,
            )
            for output in outputs
        )
    )
    title = escape(request.model_key if spec is None else spec.title)
    parts = [text("summary-enlarged", **sizes), title, duration(job), cost(job, len(outputs), allowance)]
    line = small(" · ".join(filter(None, parts)))
    return layout(
        job,
        GREEN,
        None,
        gallery,
        ui.TextDisplay("\n".join([*notice_lines(job), *veil_lines(outputs), line])),
        job_buttons.starting_from(job),
        job_buttons.keeping(job),
        is_shown_with_notices=False,
    )


def details(
    job: Job, spec: UpscalerSpec | None, outputs: Sequence[Output]
) -> tuple[ui.LayoutView, list[tuple[str, bytes]]]:
    """The facts of an enlarged picture. No command repeats it, since a command cannot name the picture that was given.

    Args:
        job: the job.
        spec: the job's upscaler; None if it is no longer offered.
        outputs: the enlarged picture.
    """
    del outputs  # its size follows from the request
    request = narrowed(job.request, UpscaleRequest)
    title, licence = title_and_license(job, spec)
    lines = [
        *head_lines(job),
        text("details-upscaler", upscaler=title, licence=licence),
        text("details-enlarged", scale=request.scale, **_sizes(request)),
        *([text("details-faces", model=escape(request.faces))] if request.faces else []),
        *cost_lines(job),
        *network_lines(job),
    ]
    return view_of(ui.Container(ui.TextDisplay("\n".join(lines)))), []


def _sizes(request: UpscaleRequest) -> dict[str, str | int]:
    larger_width, larger_height = request.delivered
    return {"width": larger_width, "height": larger_height, "from": f"{request.width}\u00d7{request.height}"}
