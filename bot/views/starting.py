"""Buttons that start a job, for and at the price of whoever presses."""

from typing import TYPE_CHECKING

from bot.commands.asking import ask
from bot.errors import Refused
from bot.jobs import deriving
from bot.presenting.custom_ids import Press
from bot.store.rows import Job, JobKind, Lineage
from bot.views.finding import Interaction, find_job
from pipeline.protocol.models import ModelSpec

if TYPE_CHECKING:
    from bot.services import Services


async def reroll(services: "Services", interaction: Interaction, press: Press) -> None:
    """The same request with another seed."""
    job = await find_job(services, interaction, press)
    model_of(services, job)
    request = deriving.reroll(job.request)
    await ask(services, interaction, kind=JobKind.REROLL, request=request, lineage=lineage_of(job))


async def retry(services: "Services", interaction: Interaction, press: Press) -> None:
    """The same request once more, since no picture came of it."""
    job = await find_job(services, interaction, press)
    model_of(services, job)
    await ask(services, interaction, kind=job.kind, request=job.request, lineage=job.lineage)


async def vary_subtle(services: "Services", interaction: Interaction, press: Press) -> None:
    """Pictures close to one."""
    await _vary(services, interaction, press, JobKind.VARY_SUBTLE, deriving.SUBTLE)


async def vary_strong(services: "Services", interaction: Interaction, press: Press) -> None:
    """Pictures around one."""
    await _vary(services, interaction, press, JobKind.VARY_STRONG, deriving.STRONG)


async def upscale(services: "Services", interaction: Interaction, press: Press) -> None:
    """One picture, larger."""
    job = await find_job(services, interaction, press)
    index = press.index or 0
    request = deriving.upscale(job.request, index, model_of(services, job), services.settings.limits)
    await ask(services, interaction, kind=JobKind.UPSCALE, request=request, lineage=lineage_of(job, index))


async def _vary(services: "Services", interaction: Interaction, press: Press, kind: JobKind, strength: float) -> None:
    job = await find_job(services, interaction, press)
    spec = model_of(services, job)
    if spec.facts.is_whole:
        raise Refused("refused-model-varies-not", model=spec.title)
    index = press.index or 0
    request = deriving.vary(job.request, index, strength)
    await ask(services, interaction, kind=kind, request=request, lineage=lineage_of(job, index))


def model_of(services: "Services", job: Job) -> ModelSpec:
    """The model that drew it.

    Raises:
        Refused: the owner offers it no more.
    """
    spec = services.catalogue.models.get(job.request.model_key)
    if spec is None:
        raise Refused("refused-model-unavailable", model=job.request.model_key)
    return spec


def lineage_of(job: Job, index: int | None = None) -> Lineage:
    """A job, or one of its images where it has several, as what another is made from."""
    return Lineage(
        parent_job_id=job.job_id,
        parent_message_id=job.message_id,
        parent_image_index=index if job.request.num_images > 1 else None,
    )
