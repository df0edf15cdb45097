"""The answer to a form of a job that starts from a picture: all of it changes, or what is painted over on a copy."""

from functools import partial

import discord
import msgspec

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions import start_jobs
from bot.interactions.services import Services
from bot.interactions.start_jobs import NOT_FETCHED, Receive
from bot.presenting.images import reference_form
from bot.presenting.images.remix_form import KEPT, PROMPT, SIZE
from bot.requests.abilities import refuse_without
from bot.requests.derived import inpainting
from bot.requests.given import GivenRequest
from bot.requests.resolving import Resolved
from bot.requests.uses import STRENGTHS
from bot.store.rows.origin import Lineage, StartedBy
from bot.views.fields import Fields
from pipeline.protocol.capabilities import Capability


async def answer(services: Services, interaction: Interaction, key: str, fields: Fields) -> None:
    """Start the job of a submitted form of *Easel: use as reference*."""
    await start(services, interaction, fields, partial(services.picking.take, key))


async def start(
    services: Services,
    interaction: Interaction,
    fields: Fields,
    receive: Receive,
    *,
    started_by: StartedBy = StartedBy.IMAGINE,
    lineage: Lineage | None = None,
) -> None:
    """Start the job of a form; with a painted copy, show its part and the price in private first.

    Args:
        services: the bot's services.
        interaction: the form.
        fields: its fields.
        receive: gives the picture.
        started_by: the command or button.
        lineage: the job whose picture it starts from.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    given, copy = given_in(fields), fields.file(reference_form.COPY)
    if copy is None:
        receives = {"image": receive}
        await start_jobs.imagine(services, interaction, given, receives, started_by=started_by, lineage=lineage)
        return
    # What is refused in any case is refused before the pictures are there.
    placed = given.with_picture("image", NOT_FETCHED)
    for each in await start_jobs.resolved_for(services, interaction, placed, ()):
        _check_part(services, each)
    await services.calls.defer(interaction, is_private=True)
    resolved = await _with_part(services, interaction, given, receive, copy)
    await start_jobs.ask_about_part(services, interaction, resolved, started_by=started_by, lineage=lineage)


async def _with_part(
    services: Services, interaction: Interaction, given: GivenRequest, receive: Receive, copy: discord.Attachment
) -> list[Resolved]:
    received = await receive()
    mask = await services.receiving.marks(copy, received.picture.sha256)
    inpaint, masks = inpainting.part((), mask)
    given = given.with_picture("image", received.picture)
    found = await start_jobs.resolved_for(services, interaction, given, received.notices)
    requests = [
        msgspec.structs.replace(each.request, inputs=(*each.request.inputs, *masks), inpaint=inpaint) for each in found
    ]
    return [msgspec.structs.replace(each, request=request) for each, request in zip(found, requests, strict=True)]


def _check_part(services: Services, resolved: Resolved) -> None:
    """Check that a part of the picture can be drawn anew.

    Raises:
        Refused: the model cannot, or the picture is for something else than to start from.
    """
    refuse_without(Capability.MASK, services.catalogue.models[resolved.request.model_key], services.catalogue)
    if resolved.request.init_image is None:
        raise Refused("refused-copy-use")


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
