"""Vary and remix of a picture that a job made and did not draw: a job that draws starts from it."""

from functools import partial

import discord

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions import start_jobs
from bot.interactions.own_pictures import pictures_of, received_from
from bot.interactions.services import Services
from bot.interactions.start_job import lineage_of
from bot.pictures.receiving import Received
from bot.presenting.custom_ids import Action, custom_id
from bot.presenting.images.reference_form import reference_form
from bot.presenting.summaries import use_choices
from bot.requests.given import GivenRequest
from bot.requests.uses import STRENGTHS
from bot.store.rows.jobs import Job
from bot.store.rows.origin import StartedBy
from bot.views import reference
from bot.views.fields import Fields


async def vary(services: Services, interaction: Interaction, job: Job, started_by: StartedBy) -> None:
    """Draw pictures that look like the job's. Without words of its own, a form asks for them."""
    if not job.request.prompt:
        await open_form(services, interaction, job)
        return
    strength = STRENGTHS["subtle" if started_by is StartedBy.VARY_SUBTLE else "strong"]
    given = GivenRequest(prompt=job.request.prompt, strength=strength)
    await _start(services, interaction, job, given, started_by)


async def open_form(services: Services, interaction: Interaction, job: Job) -> None:
    """Show the form of a job that starts from the job's picture."""
    spec = await start_jobs.model_for_picture(services, interaction)
    form_id = custom_id(Action.REMIX, job.job_id)
    form = reference_form(
        form_id, spec, use_choices(spec, services.catalogue), services.settings.limits, job.request.prompt
    )
    await services.calls.open_form(interaction, form)


async def answer(services: Services, interaction: Interaction, job: Job, fields: Fields) -> None:
    """Start the job of a submitted form."""
    receive, lineage = _receive(services, interaction, job), lineage_of(job)
    await reference.start(services, interaction, fields, receive, started_by=StartedBy.REMIX, lineage=lineage)


async def _start(
    services: Services, interaction: Interaction, job: Job, given: GivenRequest, started_by: StartedBy
) -> None:
    receive = {"image": _receive(services, interaction, job)}
    await start_jobs.imagine(services, interaction, given, receive, started_by=started_by, lineage=lineage_of(job))


def _receive(services: Services, interaction: Interaction, job: Job) -> start_jobs.Receive:
    if interaction.message is None:
        raise Refused("refused-unknown-job")
    return partial(_received, services, job, interaction.message)


async def _received(services: Services, job: Job, message: discord.Message) -> Received:
    return await received_from(services, (await pictures_of(services, job))[0], message)
