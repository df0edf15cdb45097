"""The form behind `✏️`, filled with the job's values."""

from collections.abc import Sequence
from typing import Any, Final

import discord
import msgspec
from discord import ui

from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.summaries import size_choices
from bot.presenting.texts import text
from bot.requests.options.sizes import delivered_sides, size_values_of
from bot.requests.resolving import sampler_names
from bot.store.rows.jobs import Job
from config.settings import LimitSettings
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.limits import MAX_PROMPT_LENGTH
from pipeline.protocol.requests import GenerationRequest, narrowed

PROMPT: Final = "prompt"
NEGATIVE: Final = "negative"
SIZE: Final = "size"
SAMPLER: Final = "sampler"
SEED: Final = "seed"
NEW: Final = "new"
KEPT: Final = "kept"

_MOST_OPTIONS: Final = 25
"""Discord's limit of options in a select."""


def remix_form(job: Job, spec: ModelSpec, limits: LimitSettings) -> ui.Modal:
    """The form of a drawn job, whose seed is usually another one."""
    request = narrowed(job.request, GenerationRequest)
    return _form(custom_id(Action.REMIX, job.job_id), text("remix-title"), request, request.prompt, NEW, spec, limits)


def change_form(
    form_id: str, request: GenerationRequest, prompt: str, spec: ModelSpec, limits: LimitSettings
) -> ui.Modal:
    """The form of a request that was refused for its words.

    Args:
        form_id: custom id of the form.
        request: the request.
        prompt: the member's words, which may stand for several requests.
        spec: its model.
        limits: the host's limits.
    """
    return _form(form_id, text("change-title"), request, prompt, KEPT, spec, limits)


def _form(
    form_id: str,
    title: str,
    request: GenerationRequest,
    prompt: str,
    seed: str,
    spec: ModelSpec,
    limits: LimitSettings,
) -> ui.Modal:
    """Prompt, negative prompt and the options that members change often. All other options stay."""
    form = ui.Modal(title=title, custom_id=form_id, timeout=None)
    form.add_item(words(PROMPT, prompt, label=text("remix-prompt"), is_required=True))
    form.add_item(words(NEGATIVE, request.negative_prompt, label=text("remix-negative"), is_required=False))
    first = msgspec.structs.replace(request, upscale=None)
    as_it_was = text("remix-size-kept", **size_values_of(request, delivered_sides(first, spec)))
    sizes = [(KEPT, as_it_was), *size_choices(spec, limits).items()]
    form.add_item(choice(SIZE, sizes, KEPT, label=text("remix-size")))
    samplers = [name for name in sampler_names(spec) if name != request.scheduler_name]
    form.add_item(
        choice(
            SAMPLER,
            [(name, name) for name in (request.scheduler_name, *samplers)],
            request.scheduler_name,
            label=text("remix-sampler"),
            description=text("remix-sampler-more") if len(samplers) >= _MOST_OPTIONS else None,
        )
    )
    seeds = [(NEW, text("remix-seed-new")), (KEPT, text("remix-seed-kept", seed=request.seed))]
    form.add_item(choice(SEED, seeds, seed, label=text("remix-seed")))
    return form


def words(name: str, value: str, *, label: str, is_required: bool) -> ui.Label[Any]:
    """A field for a prompt, filled with one."""
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=name,
        style=discord.TextStyle.paragraph,
        default=value or None,
        required=is_required,
        max_length=MAX_PROMPT_LENGTH,
    )
    return ui.Label(text=label, component=field)


def choice(
    name: str, options: Sequence[tuple[str, str]], chosen: str, *, label: str, description: str | None = None
) -> ui.Label[Any]:
    """A field for one of several values, each with its words."""
    shown = [
        discord.SelectOption(value=value, label=shown_as, default=value == chosen)
        for value, shown_as in options[:_MOST_OPTIONS]
    ]
    return ui.Label(text=label, description=description, component=ui.Select(custom_id=name, options=shown))
