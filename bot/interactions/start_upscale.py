"""From an attached picture, or one in a message, to the job that enlarges it."""

from typing import Final

import discord
import msgspec

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions import start_jobs
from bot.interactions.own_pictures import pictures_of, received_from
from bot.interactions.patience import in_time
from bot.interactions.services import Services
from bot.interactions.start_job import ask, lineage_of, origin_of
from bot.requests.enlarging.creative import (
    Enlargement,
    check_creative,
    check_together,
    creative_of,
    drawn_in_tiles,
    prompt_in,
)
from bot.requests.enlarging.upscale import faces_of, upscale_request, upscaler_of
from bot.requests.given import GivenRequest
from bot.store.rows.jobs import Job, JobOrder
from bot.store.rows.origin import StartedBy
from pipeline.protocol.wire.outputs import Notice

_FIRST: Final = Notice(key="notice-first-picture")


async def upscale_attached(
    services: Services,
    interaction: Interaction,
    attachment: discord.Attachment,
    *,
    scale: int | None = None,
    upscaler: str | None = None,
    faces: str | None = None,
    creative: str | None = None,
    prompt: str | None = None,
    has_more: bool = False,
) -> None:
    """Ask for an attached picture in larger.

    Args:
        services: the bot's services.
        interaction: the command.
        attachment: the picture.
        scale: factor between the sides; None is the greatest that the bounds allow.
        upscaler: key of the upscaler; None is the catalogue's first one.
        faces: key of the network that repairs faces; None repairs none.
        creative: how much of the details is drawn anew, as `creative_of` reads it; None draws nothing.
        prompt: what the picture shows, for drawing; None takes the prompt in the picture's file.
        has_more: whether the message has further pictures.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    spec, repairing = upscaler_of(services.catalogue, upscaler), faces_of(services.catalogue, faces)
    amount = creative_of(creative)
    check_together(amount, prompt, faces)
    if amount is not None:
        wanted = Enlargement(creative=amount, scale=scale, upscaler=spec.key, is_upscaler_named=upscaler is not None)
        await _upscale_creatively(services, interaction, attachment, wanted, prompt)
        return
    received = await in_time(services, interaction, services.receiving.receive(attachment))
    request = upscale_request(received.picture, scale, spec, was_shrunk=received.was_shrunk, faces=repairing)
    notices = (*((_FIRST,) if has_more else ()), *received.notices)
    order = JobOrder(origin=origin_of(interaction, StartedBy.ENLARGE), request=request, notices=notices)
    await ask(services, interaction, order)


async def _upscale_creatively(
    services: Services,
    interaction: Interaction,
    attachment: discord.Attachment,
    wanted: Enlargement,
    prompt: str | None,
) -> None:
    """Ask for an attached picture in larger, with details drawn anew."""
    # What is refused in any case is refused before the picture is there.
    check_creative(
        await start_jobs.model_for(services, interaction, GivenRequest(prompt=prompt or "-")), services.catalogue
    )
    received = await in_time(services, interaction, services.receiving.receive(attachment))
    if prompt is None:
        prompt = prompt_in(await _parameters(services, attachment))
    given = GivenRequest(prompt=prompt)
    wanted = msgspec.structs.replace(wanted, picture=received.picture, was_shrunk=received.was_shrunk)
    resolved = [
        drawn_in_tiles(each, wanted, services.catalogue, services.settings.limits)
        for each in await start_jobs.resolved_for(services, interaction, given, received.notices)
    ]
    await start_jobs.ask_each(services, interaction, started_by=StartedBy.ENLARGE, resolved=resolved)


async def _parameters(services: Services, attachment: discord.Attachment) -> str:
    """The generation parameters in an attached picture.

    Raises:
        Refused: it has none, so the member must say what the picture shows.
    """
    try:
        return await services.receiving.parameters(attachment)
    except Refused as error:
        raise Refused("refused-creative-prompt") from error


async def upscale_drawn(services: Services, interaction: Interaction, job: Job, message: discord.Message) -> None:
    """Ask for the first picture of a job in larger: the stored file, or the message's if the store no longer has it.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    spec = upscaler_of(services.catalogue, None)
    pictures = await pictures_of(services, job)
    first = pictures[0]
    received = await in_time(services, interaction, received_from(services, first, message))
    request = upscale_request(received.picture, None, spec, was_shrunk=received.was_shrunk, prompt=job.request.prompt)
    lineage = lineage_of(job, first.output_index)
    notices = (*((_FIRST,) if len(pictures) > 1 else ()), *received.notices)
    origin = origin_of(interaction, StartedBy.UPSCALE, lineage)
    await ask(services, interaction, JobOrder(origin=origin, request=request, notices=notices))
