"""The answer to the form of *Easel: use as reference*."""

from functools import partial

from bot.calls.answers import Interaction
from bot.interactions import start_jobs
from bot.interactions.services import Services
from bot.presenting.images import reference_form
from bot.presenting.images.remix_form import KEPT, PROMPT, SIZE
from bot.requests.given import GivenRequest
from bot.requests.uses import STRENGTHS
from bot.views.fields import Fields


async def answer(services: Services, interaction: Interaction, key: str, fields: Fields) -> None:
    """Start the job of a submitted form."""
    await start_jobs.imagine(services, interaction, given_in(fields), {"image": partial(services.picking.take, key)})


def given_in(fields: Fields) -> GivenRequest:
    """The request of a submitted form, without its picture."""
    size, strength = fields.text(SIZE, KEPT), fields.text(reference_form.STRENGTH)
    use = fields.text(reference_form.USE, KEPT)
    return GivenRequest(
        prompt=fields.text(PROMPT),
        size=None if size == KEPT else size,
        # None is the usual use or strength, and lets one in the prompt replace it.
        use=None if use == KEPT else use,
        strength=None if strength == reference_form.USUAL_STRENGTH else STRENGTHS.get(strength),
    )
