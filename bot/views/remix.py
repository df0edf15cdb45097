"""`✏️`: a form with the job's values, and the job from its answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.calls.answers import Interaction
from bot.interactions.find_job import find_job
from bot.interactions.replies import answer_error
from bot.interactions.services import Services
from bot.interactions.start_jobs import ask_each
from bot.presenting import custom_ids
from bot.presenting.custom_ids import Press
from bot.presenting.images import remix_form
from bot.presenting.texts import speak
from bot.requests import deriving
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.starting_image import picture_of
from bot.requests.styles import known_styles
from bot.store.rows import AskerDefaults, StartedBy
from bot.views.starting import job_for, lineage_of, model_of
from bot.words import clean_texts
from pipeline.protocol.requests import GenerationRequest, narrowed


async def open_form(services: Services, interaction: Interaction, press: Press) -> None:
    """Show the form to the member who presses."""
    job = await find_job(services, interaction, press)
    await services.calls.open_form(
        interaction, remix_form.remix_form(job, model_of(services, job), services.settings.limits)
    )


async def answer_form(services: Services, interaction: Interaction) -> None:
    """Start the job of a submitted form. A form is found by its custom id, so that a restart meanwhile does no harm."""
    data: Any = clean_texts(interaction.data or {})
    speak(str(interaction.locale))
    fields = fields_of(data.get("components", ()))
    try:
        press = custom_ids.read_press(str(data.get("custom_id", "")))
        await _remix(services, interaction, press, fields)
    except Exception as error:  # noqa: BLE001 - each form needs an answer; the log gets the traceback
        await answer_error(interaction, error, prompt=fields.get(remix_form.PROMPT))


def fields_of(components: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Typed and chosen values by the ids of their fields."""
    fields: dict[str, str] = {}
    for label in components:
        field = label.get("component") or {}
        value = field.get("value") if "value" in field else next(iter(field.get("values") or ()), None)
        if isinstance(value, str):
            fields[str(field.get("custom_id"))] = value
    return fields


async def _remix(services: Services, interaction: Interaction, press: Press, fields: Mapping[str, str]) -> None:
    job = await find_job(services, interaction, press)
    model_of(services, job)
    old = narrowed(job.request, GenerationRequest)
    is_seed_kept = fields.get(remix_form.SEED) == remix_form.KEPT
    size, sampler = fields.get(remix_form.SIZE, remix_form.KEPT), fields.get(remix_form.SAMPLER)
    given = GivenRequest(
        prompt=fields.get(remix_form.PROMPT, ""),
        negative_prompt=fields.get(remix_form.NEGATIVE, ""),
        size=None if size == remix_form.KEPT else size,
        scheduler_name=None if sampler == old.scheduler_name else sampler,  # None lets one in the prompt replace it
        seed=old.seed if is_seed_kept else None,
        image=picture_of(old),
    )
    resolved = await resolve_each(
        given,
        settings=services.settings,
        catalogue=services.catalogue,
        defaults=AskerDefaults(own=deriving.as_it_was(old)),
        styles=known_styles(services.backend.status),
    )
    theirs = job_for(job, interaction)
    remixed = [deriving.remix(each, theirs, is_same_noise=is_seed_kept) for each in resolved]
    await ask_each(services, interaction, started_by=StartedBy.REMIX, resolved=remixed, lineage=lineage_of(job))


def is_form(interaction: Interaction) -> bool:
    """Whether an interaction is a submitted form."""
    return interaction.type is discord.InteractionType.modal_submit
