"""Buttons that start a job. The member who presses pays for it."""

import msgspec

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.find_job import find_job
from bot.interactions.services import Services
from bot.interactions.start_job import ask, lineage_of, origin_of
from bot.presenting.custom_ids import Press
from bot.requests.derived import deriving
from bot.store.rows.jobs import Job, JobOrder
from bot.store.rows.origin import Origin, StartedBy
from bot.store.rows.preferences import Preferences
from bot.views import from_output
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest, narrowed


async def reroll(services: Services, interaction: Interaction, press: Press) -> None:
    """Repeat the request with another seed."""
    job = await find_job(services, interaction, press)
    model_of(services, job)
    origin = origin_of(interaction, StartedBy.REROLL, lineage_of(job))
    await _start(services, interaction, job, deriving.reroll(narrowed(job.request, GenerationRequest)), origin)


async def retry(services: Services, interaction: Interaction, press: Press) -> None:
    """Repeat the same request, since it gave no picture."""
    job = await find_job(services, interaction, press)
    check_offered(services, job)
    # Notices about the words are repeated. Notices of a worker about the pictures are not.
    notices = job.notices if job.total_s is None else ()
    origin = origin_of(interaction, job.origin.started_by, job.origin.lineage)
    defaults = job_for(job, interaction).defaults
    await ask(services, interaction, JobOrder(origin=origin, request=job.request, defaults=defaults, notices=notices))


async def vary_subtle(services: Services, interaction: Interaction, press: Press) -> None:
    """Draw pictures close to one picture."""
    await _vary(services, interaction, press, StartedBy.VARY_SUBTLE, deriving.SUBTLE)


async def vary_strong(services: Services, interaction: Interaction, press: Press) -> None:
    """Draw pictures that differ more from one picture."""
    await _vary(services, interaction, press, StartedBy.VARY_STRONG, deriving.STRONG)


async def upscale(services: Services, interaction: Interaction, press: Press) -> None:
    """Enlarge one picture."""
    job = await find_job(services, interaction, press)
    index = press.index or 0
    request = deriving.upscale(
        narrowed(job.request, GenerationRequest), index, model_of(services, job), services.settings.limits
    )
    await _start(services, interaction, job, request, origin_of(interaction, StartedBy.UPSCALE, lineage_of(job, index)))


async def making_of(services: Services, interaction: Interaction, press: Press) -> None:
    """Draw one picture again, and show its steps."""
    job = await find_job(services, interaction, press)
    index = press.index or 0
    request = deriving.making_of(narrowed(job.request, GenerationRequest), index, model_of(services, job))
    await _start(
        services, interaction, job, request, origin_of(interaction, StartedBy.MAKING_OF, lineage_of(job, index))
    )


async def _vary(
    services: Services, interaction: Interaction, press: Press, started_by: StartedBy, strength: float
) -> None:
    job = await find_job(services, interaction, press)
    if not isinstance(job.request, GenerationRequest):
        await from_output.vary(services, interaction, job, started_by)
        return
    spec = model_of(services, job)
    if not spec.can(Capability.VARIATIONS):
        raise Refused("refused-model-varies-not", model=spec.title)
    index = press.index or 0
    request = deriving.vary(narrowed(job.request, GenerationRequest), index, strength)
    await _start(services, interaction, job, request, origin_of(interaction, started_by, lineage_of(job, index)))


async def _start(
    services: Services,
    interaction: Interaction,
    job: Job,
    request: GenerationRequest,
    origin: Origin,
) -> None:
    """Ask for a derived job. A value that was a default of the old job is still marked as one."""
    defaults = deriving.still_default(job_for(job, interaction), request)
    await ask(services, interaction, JobOrder(origin=origin, request=request, defaults=defaults, notices=()))


def job_for(job: Job, interaction: Interaction) -> Job:
    """The job for the member who presses. Another member's own defaults are removed, since they are not theirs."""
    if job.requester_id == interaction.user.id:
        return job
    return msgspec.structs.replace(job, defaults=msgspec.structs.replace(job.defaults, own=Preferences()))


def check_offered(services: Services, job: Job) -> None:
    """Check that the owner still offers what a job of any kind ran on.

    Raises:
        Refused: the owner does not.
    """
    if job.request.model_key not in services.catalogue.entries:
        raise Refused("refused-model-unavailable", model=job.request.model_key)


def model_of(services: Services, job: Job) -> ModelSpec:
    """The model of a job.

    Raises:
        Refused: the owner no longer offers it.
    """
    spec = services.catalogue.models.get(job.request.model_key)
    if spec is None:
        raise Refused("refused-model-unavailable", model=job.request.model_key)
    return spec
