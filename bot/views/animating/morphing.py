"""`🎞️`: a form with the second prompt, and the morph from the picture to it."""

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.animating.start_morph import ask_for_morph
from bot.interactions.find_job import find_job
from bot.interactions.services import Services
from bot.interactions.start_job import lineage_of
from bot.presenting.custom_ids import Press
from bot.presenting.images import morph_form
from bot.requests.resolving import Resolved
from bot.views.fields import Fields
from bot.views.starting import model_of
from pipeline.protocol.limits import MAX_SEED
from pipeline.protocol.requests import GenerationRequest, narrowed


async def open_form(services: Services, interaction: Interaction, press: Press) -> None:
    """Show the form to the member who presses."""
    job = await find_job(services, interaction, press)
    model_of(services, job)
    request = narrowed(job.request, GenerationRequest).single(press.index or 0)
    await services.calls.open_form(interaction, morph_form.morph_form(job, press.index or 0, request))


async def answer(services: Services, interaction: Interaction, press: Press, fields: Fields) -> None:
    """Ask about the morph of a submitted form."""
    job = await find_job(services, interaction, press)
    model_of(services, job)
    index = press.index or 0
    request = narrowed(job.request, GenerationRequest).single(index)
    typed = fields.text(morph_form.SEED).strip()
    if typed and not (typed.isdecimal() and int(typed) <= MAX_SEED):
        raise Refused("refused-seed", seed=typed[:40], limit=str(MAX_SEED))
    await ask_for_morph(
        services,
        interaction,
        Resolved(request=request, defaults=job.defaults, notices=()),
        fields.text(morph_form.PROMPT),
        end_seed=int(typed) if typed else None,
        lineage=lineage_of(job, index),
    )
