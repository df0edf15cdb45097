"""The forms behind `🖌️` and `🔍`: a part of a picture and its change, and a zoom out."""

from typing import Any, Final

import discord
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.images.reference_form import painted_copy
from bot.presenting.images.remix_form import PROMPT, choice, words
from bot.presenting.texts import text
from bot.requests.derived.inpainting import ZOOMS
from bot.requests.uses import STRENGTHS
from bot.store.rows.jobs import Job
from pipeline.protocol.limits import GRID_CELLS, MAX_PART_WORDS
from pipeline.protocol.requests import GenerationRequest, narrowed

WHERE: Final = "where"
STRENGTH: Final = "strength"
WORDS: Final = "words"
ZOOM: Final = "zoom"
_USUAL_STRENGTH: Final = "strong"


def region_form(job: Job, index: int, *, has_words: bool) -> ui.Modal:
    """The part of a picture, what it becomes, how much it changes, and a painted copy.

    Args:
        job: the job of the picture.
        index: the picture.
        has_words: whether the part can be named in words too.
    """
    request = narrowed(job.request, GenerationRequest)
    form = ui.Modal(title=text("region-title"), custom_id=custom_id(Action.REGION, job.job_id, index), timeout=None)
    cells = [discord.CheckboxGroupOption(value=str(cell), label=text(f"cell-{cell}")) for cell in range(GRID_CELLS)]
    where: ui.CheckboxGroup[Any] = ui.CheckboxGroup(
        custom_id=WHERE, required=False, min_values=0, max_values=GRID_CELLS, options=cells
    )
    form.add_item(ui.Label(text=text("region-where"), component=where))
    if has_words:
        named: ui.TextInput[Any] = ui.TextInput(custom_id=WORDS, required=False, max_length=MAX_PART_WORDS)
        hint = text("region-words-hint")
        form.add_item(ui.Label(text=text("region-words"), description=hint, component=named))
    form.add_item(words(PROMPT, request.prompt, label=text("region-prompt"), is_required=True))
    strengths = [(name, text(f"region-{name}")) for name in STRENGTHS]
    form.add_item(choice(STRENGTH, strengths, _USUAL_STRENGTH, label=text("region-strength")))
    form.add_item(painted_copy(text("region-copy-hint")))
    return form


def zoom_form(job: Job, index: int, *, price: str) -> ui.Modal:
    """How far to zoom out, at which price, and the prompt of what comes around the picture."""
    request = narrowed(job.request, GenerationRequest)
    form = ui.Modal(title=text("zoom-title"), custom_id=custom_id(Action.ZOOM_OUT, job.job_id, index), timeout=None)
    factors = [(name, text("zoom-factor", factor=name)) for name in ZOOMS]
    form.add_item(choice(ZOOM, factors, factors[-1][0], label=text("zoom-out"), description=price))
    form.add_item(words(PROMPT, request.prompt, label=text("zoom-prompt"), is_required=True))
    return form
