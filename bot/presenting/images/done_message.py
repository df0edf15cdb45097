"""The message of a job with its finished pictures."""

from collections.abc import Sequence
from typing import Final

import discord
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.escaping import alt_text, small
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
from bot.presenting.summaries import summary
from bot.presenting.texts import text
from bot.requests.options.table import arranged
from bot.store.rows.jobs import Job
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest, narrowed

_SUMMARIZED: Final = ("seed", "steps", "cfg", "sampler", "size", "model", "negative")
"""Order of the options below a picture; other options come after them."""
_ALWAYS_SHOWN: Final = frozenset(("seed", "size", "model"))


@in_its_language
def done(job: Job, *, outputs: tuple[ShownOutput, ...], spec: ModelSpec | None, allowance: Allowance) -> ui.LayoutView:
    """The pictures, a summary, and the buttons."""
    gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
        *(
            discord.MediaGalleryItem(
                attachment(image.file_name),
                description=alt_text(
                    text("alt-image", number=image.index + 1, count=job.request.output_count, prompt=prompt_of(job))
                ),
                spoiler=image.is_veiled,
            )
            for image in outputs
        )
    )
    notices = notice_lines(job)
    inpaint = narrowed(job.request, GenerationRequest).inpaint
    if inpaint is not None and inpaint.outpaint is None:
        notices.append(small(text("region-kept")))
    notices += veil_lines(outputs)
    line = small(" · ".join(_summary_parts(job, outputs, spec, allowance)))
    return layout(
        job,
        GREEN,
        None,
        gallery,
        ui.TextDisplay("\n".join([*notices, line])),
        *_buttons(job, [image.index for image in outputs], spec),
        is_shown_with_notices=False,
    )


def _summary_parts(
    job: Job, outputs: tuple[ShownOutput, ...], spec: ModelSpec | None, allowance: Allowance
) -> list[str]:
    """Differences from the model's defaults, and always the seed, the time and the price."""
    request = narrowed(job.request, GenerationRequest)
    hidden = {"images", *(["negative"] if WORDS_HIDDEN in job.notices else [])}
    parts = [
        summary(option, request, spec, delivered=outputs[0].sides)
        for option in arranged(_SUMMARIZED)
        if option.name not in hidden
        and (option.name in _ALWAYS_SHOWN or spec is None or not option.is_usual(request, spec))
    ]
    parts.append(duration(job))
    if len(outputs) < request.output_count:
        parts.append(text("summary-partial", count=len(outputs), asked=request.output_count))
    parts.append(cost(job, len(outputs), allowance))
    return [*filter(None, parts)]


def _buttons(job: Job, indices: Sequence[int], spec: ModelSpec | None) -> list[job_buttons.Row]:
    """Buttons of a job with pictures: a single one can be upscaled and varied in two ways, several by their numbers.

    A part of a single one can be drawn anew, and what lies around it. Its steps can be shown, and it can be morphed.

    Args:
        job: the job.
        indices: the delivered pictures.
        spec: the job's model; None if it is gone.
    """
    job_id = job.job_id
    can_vary = spec is None or spec.can(Capability.VARIATIONS)
    # It is upscaled by being drawn once more.
    can_repeat = spec is None or spec.can(Capability.SEED)
    request = narrowed(job.request, GenerationRequest)
    is_upscaled = request.upscale is not None or request.tiles is not None
    if len(indices) == 1:
        (only,) = indices
        first = [job_buttons.button(Action.UPSCALE, job_id, only)] if can_repeat and not is_upscaled else []
        if can_vary:
            first += [
                job_buttons.button(Action.VARY_SUBTLE, job_id, only),
                job_buttons.button(Action.VARY_STRONG, job_id, only),
            ]
        rows = [[*first, job_buttons.button(Action.REMIX, job_id), job_buttons.button(Action.REROLL, job_id)]]
        # The size of an upscaled picture is not one that the model draws.
        can_mask = spec is not None and spec.can(Capability.MASK) and not is_upscaled
        can_morph = spec is not None and spec.has_morphs and not is_upscaled and not request.inputs
        second = [
            *((Action.REGION, Action.ZOOM_OUT, Action.PAN) if can_mask else ()),
            *((Action.MAKING_OF,) if spec is not None and spec.is_stepped else ()),
            *((Action.MORPH,) if can_morph else ()),
        ]
        if second:
            rows.append([job_buttons.button(action, job_id, only) for action in second])
    else:
        rows = [
            [
                *(_numbered(Action.UPSCALE, "U", job_id, k) for k in indices if can_repeat),
                job_buttons.button(Action.REROLL, job_id),
            ],
            [
                *(_numbered(Action.VARY_STRONG, "V", job_id, k) for k in indices if can_vary),
                job_buttons.button(Action.REMIX, job_id),
            ],
        ]
    return [*(ui.ActionRow(*row) for row in rows), job_buttons.keeping(job)]


def _numbered(action: Action, letter: str, job_id: int, index: int) -> ui.Button[ui.LayoutView]:
    return ui.Button(
        label=f"{letter}{index + 1}", style=discord.ButtonStyle.secondary, custom_id=custom_id(action, job_id, index)
    )
