"""Messages about the making-of of a picture: when it is done, and `ℹ️`."""  # noqa: RUF002 - the sign for information

from collections.abc import Sequence

import discord
from discord import ui

from bot.presenting.escaping import alt_text, escape, small
from bot.presenting.images import details_message
from bot.presenting.jobs import job_buttons
from bot.presenting.jobs.job_message import (
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
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.passes import shown_steps
from pipeline.protocol.requests import MakingOfRequest, narrowed


@in_its_language
def done(job: Job, *, outputs: tuple[ShownOutput, ...], spec: ModelSpec | None, allowance: Allowance) -> ui.LayoutView:
    """The animation and its still, what they show, and buttons to keep them."""
    request = narrowed(job.request, MakingOfRequest)
    described = (
        text("alt-making-of", count=shown_steps(request.num_inference_steps), prompt=prompt_of(job)),
        text("alt-image", number=1, count=1, prompt=prompt_of(job)),
    )
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
        *(
            discord.MediaGalleryItem(
                attachment(output.file_name),
                description=alt_text(described[output.index]),
                spoiler=output.is_veiled,
            )
            for output in outputs
        )
    )
    title = escape(job.request.model_key if spec is None else spec.title)
    parts = [text("summary-making-of", steps=request.num_inference_steps), title, duration(job)]
    line = small(" · ".join([*filter(None, parts), cost(job, len(outputs), allowance)]))
    explained = small(text("making-of-explained"))
    return layout(
        job,
        GREEN,
        None,
        gallery,
        ui.TextDisplay("\n".join([explained, *notice_lines(job), *veil_lines(outputs), line])),
        job_buttons.keeping(job),
        is_shown_with_notices=False,
    )


def details(
    job: Job, spec: ModelSpec | None, outputs: Sequence[Output]
) -> tuple[ui.LayoutView, list[tuple[str, bytes]]]:
    """The facts and the command of the picture whose steps it shows."""
    return details_message.details(job, spec, [output for output in outputs if output.output_index])
