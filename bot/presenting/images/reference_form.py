"""The form for a job that starts from a picture: one of no job, or one that a job made and did not draw."""

from collections.abc import Mapping
from typing import Any, Final

from discord import ui

from bot.presenting.escaping import shorten
from bot.presenting.images.remix_form import KEPT, PROMPT, SIZE, choice, words
from bot.presenting.summaries import size_choices
from bot.presenting.texts import text
from bot.requests.abilities import default_use
from bot.requests.uses import STRENGTHS
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec

USE: Final = "use"
STRENGTH: Final = "strength"
COPY: Final = "copy"
USUAL_STRENGTH: Final = "medium"
_LONGEST: Final = 100
"""Discord's limit for the words of a choice."""


def reference_form(
    form_id: str, spec: ModelSpec, uses: Mapping[str, str], limits: LimitSettings, prompt: str = ""
) -> ui.Modal:
    """The prompt, what the picture is for where there is a choice, how much of it changes, the size, and a painted copy
    where the model draws a part of a picture anew.

    Args:
        form_id: custom id of the form, which names the picture.
        spec: the model that will probably draw; the prompt may name another one.
        uses: the uses that the model has for pictures, each with its words.
        limits: the host's limits.
        prompt: the words that are already in the form.
    """
    form = ui.Modal(title=text("reference-title"), custom_id=form_id, timeout=None)
    form.add_item(words(PROMPT, prompt, label=text("remix-prompt"), is_required=True))
    if len(uses) > 1:
        named = [(KEPT if use == default_use(spec) else use, shorten(words, _LONGEST)) for use, words in uses.items()]
        form.add_item(choice(USE, named, KEPT, label=text("reference-use")))
    strengths = [(name, text(f"choice-strength-{name}", strength=f"{value:g}")) for name, value in STRENGTHS.items()]
    form.add_item(choice(STRENGTH, strengths, USUAL_STRENGTH, label=text("reference-strength")))
    sizes = [(KEPT, text("reference-size-kept")), *size_choices(spec, limits).items()]
    form.add_item(choice(SIZE, sizes, KEPT, label=text("remix-size")))
    if spec.can(Capability.MASK):
        form.add_item(painted_copy(text("reference-copy-hint")))
    return form


def painted_copy(hint: str) -> ui.Label[ui.LayoutView]:
    """A field for a copy of the picture that says by its paint which part changes."""
    copy: ui.FileUpload[Any] = ui.FileUpload(custom_id=COPY, required=False, min_values=0, max_values=1)
    return ui.Label(text=text("region-copy"), description=hint, component=copy)
