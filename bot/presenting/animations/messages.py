"""Messages about animations: when they are done, and `ℹ️`."""  # noqa: RUF002 - the sign for information

from collections.abc import Sequence
from typing import Final

import discord
from discord import ui

from bot.presenting.escaping import alt_text, escape, small
from bot.presenting.images import details_message
from bot.presenting.jobs import job_buttons
from bot.presenting.jobs.job_message import (
    GREEN,
    WORDS_HIDDEN,
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
from pipeline.protocol.requests import MakingOfRequest, MorphRequest, narrowed

_MAX_WORDS: Final = 300


@in_its_language
def done(job: Job, *, outputs: tuple[ShownOutput, ...], spec: ModelSpec | None, allowance: Allowance) -> ui.LayoutView:
    """The steps of a picture and the picture, what they show, and buttons to keep them."""
    request = narrowed(job.request, MakingOfRequest)
    described = (
        text("alt-making-of", count=shown_steps(request.num_inference_steps), prompt=prompt_of(job)),
        text("alt-image", number=1, count=1, prompt=prompt_of(job)),
    )
    parts = [text("summary-making-of", steps=request.num_inference_steps)]
    return _done(job, outputs, spec, allowance, described, [text("making-of-explained")], parts)


@in_its_language
def morph_done(
    job: Job, *, outputs: tuple[ShownOutput, ...], spec: ModelSpec | None, allowance: Allowance
) -> ui.LayoutView:
    """A morph and its keys in a row, its words, and buttons to keep them."""
    request = narrowed(job.request, MorphRequest)
    ends = {"start": prompt_of(job), "end": "…" if WORDS_HIDDEN in job.notices else request.end_prompt}
    described = (
        text("alt-morph", frames=request.frames, **ends),
        text("alt-morph-keys", frames=request.frames, **ends),
    )
    parts = [
        text("summary-morph", frames=request.frames, steps=request.num_inference_steps),
        text("summary-morph-seeds", start=request.seed, end=request.end_seed),
    ]
    lead = [] if WORDS_HIDDEN in job.notices else [text("morph-to", end=escape(request.end_prompt, _MAX_WORDS))]
    return _done(job, outputs, spec, allowance, described, lead, parts)


def _done(
    job: Job,
    outputs: tuple[ShownOutput, ...],
    spec: ModelSpec | None,
    allowance: Allowance,
    described: tuple[str, str],
    lead: Sequence[str],
    parts: Sequence[str],
) -> ui.LayoutView:
    """The animation and its still, with lines above the summary."""
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
    said = [*parts, title, duration(job), cost(job, len(outputs), allowance)]
    lines = [*map(small, lead), *notice_lines(job), *veil_lines(outputs), small(" · ".join(filter(None, said)))]
    return layout(
        job,
        GREEN,
        None,
        gallery,
        ui.TextDisplay("\n".join(lines)),
        job_buttons.keeping(job),
        is_shown_with_notices=False,
    )


def details(
    job: Job, spec: ModelSpec | None, outputs: Sequence[Output]
) -> tuple[ui.LayoutView, list[tuple[str, bytes]]]:
    """The facts and the command of the picture whose steps it shows, or that a morph begins with."""
    return details_message.details(job, spec, [output for output in outputs if output.output_index])
