"""`✏️`: a form with the job's values, and the job from its answer."""

from bot.calls.answers import Interaction
from bot.interactions.find_job import find_job
from bot.interactions.services import Services
from bot.interactions.start_job import lineage_of
from bot.interactions.start_jobs import ask_each
from bot.presenting.custom_ids import Press
from bot.presenting.images import remix_form
from bot.requests.abilities import refuse_without
from bot.requests.derived import deriving
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.styles import known_styles
from bot.requests.uses import pictures_of
from bot.store.rows.jobs import WantedJob
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.rows.preferences import AskerDefaults
from bot.views import from_output
from bot.views.fields import Fields
from bot.views.starting import job_for, model_of
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.requests import GenerationRequest, narrowed


async def open_form(services: Services, interaction: Interaction, press: Press) -> None:
    """Show the form to the member who presses."""
    job = await find_job(services, interaction, press)
    if not isinstance(job.request, GenerationRequest):
        await from_output.open_form(services, interaction, job)
        return
    await services.calls.open_form(
        interaction, remix_form.remix_form(job, model_of(services, job), services.settings.limits)
    )


async def answer(services: Services, interaction: Interaction, press: Press, fields: Fields) -> None:
    """Start the job of a submitted form."""
    job = await find_job(services, interaction, press)
    if not isinstance(job.request, GenerationRequest):
        await from_output.answer(services, interaction, job, fields)
        return
    model_of(services, job)
    await ask_changed(services, interaction, job_for(job, interaction), fields, StartedBy.REMIX, lineage_of(job))


async def ask_changed(
    services: Services,
    interaction: Interaction,
    job: WantedJob,
    fields: Fields,
    started_by: StartedBy,
    lineage: Lineage | None,
) -> None:
    """Ask for a job with the values of a form, and those of an earlier job for all that the form does not have.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    old = narrowed(job.request, GenerationRequest)
    is_seed_kept = fields.text(remix_form.SEED) == remix_form.KEPT
    size, sampler = fields.text(remix_form.SIZE, remix_form.KEPT), fields.text(remix_form.SAMPLER)
    given = GivenRequest(
        prompt=fields.text(remix_form.PROMPT),
        negative_prompt=fields.text(remix_form.NEGATIVE),
        size=None if size == remix_form.KEPT else size,
        scheduler_name=None
        if sampler in ("", old.scheduler_name)
        else sampler,  # None lets one in the prompt replace it
        seed=old.seed if is_seed_kept else None,
        **pictures_of(old),
    )
    resolved = await resolve_each(
        given,
        settings=services.settings,
        catalogue=services.catalogue,
        defaults=AskerDefaults(own=deriving.as_it_was(old)),
        styles=known_styles(services.backend.status),
    )
    if old.inpaint is not None:
        for each in resolved:
            refuse_without(Capability.MASK, services.catalogue.models[each.request.model_key], services.catalogue)
    remixed = [
        deriving.remix(each, job, is_same_noise=is_seed_kept, is_same_size=size == remix_form.KEPT) for each in resolved
    ]
    await ask_each(services, interaction, started_by=started_by, resolved=remixed, lineage=lineage)
