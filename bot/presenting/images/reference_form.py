"""The form of *Easel: use as reference* for a picture of no job: a job that starts from it."""

from typing import Final

from discord import ui

from bot.presenting.custom_ids import reference_id
from bot.presenting.images.remix_form import KEPT, PROMPT, SIZE, choice, words
from bot.presenting.summaries import size_choices
from bot.presenting.texts import text
from bot.requests.starting_image import STRENGTHS
from config.settings import LimitSettings
from pipeline.protocol.models import ModelSpec

STRENGTH: Final = "strength"
USUAL_STRENGTH: Final = "medium"


def reference_form(key: str, spec: ModelSpec, limits: LimitSettings) -> ui.Modal:
    """The prompt, how much of the picture changes, and the size.

    Args:
        key: key of the picked picture.
        spec: the model that will probably draw; the prompt may name another one.
        limits: the host's limits.
    """
    form = ui.Modal(title=text("reference-title"), custom_id=reference_id(key), timeout=None)
    form.add_item(words(PROMPT, "", label=text("remix-prompt"), is_required=True))
    strengths = [(name, text(f"choice-strength-{name}", strength=f"{value:g}")) for name, value in STRENGTHS.items()]
    form.add_item(choice(STRENGTH, strengths, USUAL_STRENGTH, label=text("reference-strength")))
    sizes = [(KEPT, text("reference-size-kept")), *size_choices(spec, limits).items()]
    form.add_item(choice(SIZE, sizes, KEPT, label=text("remix-size")))
    return form
