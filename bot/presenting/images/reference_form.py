"""The form for a job that starts from a picture: one of no job, or one that a job made and did not draw."""

from typing import Final

from discord import ui

from bot.presenting.images.remix_form import KEPT, PROMPT, SIZE, choice, words
from bot.presenting.summaries import size_choices
from bot.presenting.texts import text
from bot.requests.starting_image import STRENGTHS
from config.settings import LimitSettings
from pipeline.protocol.models import ModelSpec

STRENGTH: Final = "strength"
USUAL_STRENGTH: Final = "medium"


def reference_form(form_id: str, spec: ModelSpec, limits: LimitSettings, prompt: str = "") -> ui.Modal:
    """The prompt, how much of the picture changes, and the size.

    Args:
        form_id: custom id of the form, which names the picture.
        spec: the model that will probably draw; the prompt may name another one.
        limits: the host's limits.
        prompt: the words that are already in the form.
    """
    form = ui.Modal(title=text("reference-title"), custom_id=form_id, timeout=None)
    form.add_item(words(PROMPT, prompt, label=text("remix-prompt"), is_required=True))
    strengths = [(name, text(f"choice-strength-{name}", strength=f"{value:g}")) for name, value in STRENGTHS.items()]
    form.add_item(choice(STRENGTH, strengths, USUAL_STRENGTH, label=text("reference-strength")))
    sizes = [(KEPT, text("reference-size-kept")), *size_choices(spec, limits).items()]
    form.add_item(choice(SIZE, sizes, KEPT, label=text("remix-size")))
    return form
