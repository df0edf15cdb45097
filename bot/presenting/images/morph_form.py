"""The form behind `🎞️`, filled with the words and the seed of the picture."""

from typing import Any, Final

from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.images.remix_form import PROMPT, words
from bot.presenting.texts import text
from bot.store.rows.jobs import Job
from pipeline.protocol.requests import GenerationRequest

SEED: Final = "seed"


def morph_form(job: Job, index: int, request: GenerationRequest) -> ui.Modal:
    """The words of the last picture, and its seed.

    Args:
        job: the job of the first picture.
        index: the picture's index.
        request: the request for it alone.
    """
    form = ui.Modal(title=text("morph-title"), custom_id=custom_id(Action.MORPH, job.job_id, index), timeout=None)
    form.add_item(words(PROMPT, request.prompt, label=text("morph-prompt"), is_required=True))
    seed: ui.TextInput[Any] = ui.TextInput(custom_id=SEED, default=str(request.seed), required=False, max_length=10)
    form.add_item(ui.Label(text=text("morph-seed"), description=text("morph-seed-about"), component=seed))
    return form
