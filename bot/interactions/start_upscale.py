"""From an attached picture, or one in a message, to the job that enlarges it."""

from typing import Final

import discord

from bot.calls.answers import Interaction
from bot.interactions.own_pictures import pictures_of, received_from
from bot.interactions.patience import in_time
from bot.interactions.services import Services
from bot.interactions.start_job import ask, lineage_of, origin_of
from bot.requests.enlarging import faces_of, upscale_request, upscaler_of
from bot.store.rows.jobs import Job, JobOrder
from bot.store.rows.origin import StartedBy
from pipeline.protocol.messages import Notice

_FIRST: Final = Notice(key="notice-first-picture")


async def upscale_attached(
    services: Services,
    interaction: Interaction,
    attachment: discord.Attachment,
    *,
    scale: int | None = None,
    upscaler: str | None = None,
    faces: str | None = None,
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
        has_more: whether the message has further pictures.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    spec, repairing = upscaler_of(services.catalogue, upscaler), faces_of(services.catalogue, faces)
    received = await in_time(services, interaction, services.receiving.receive(attachment))
    request = upscale_request(received.picture, scale, spec, was_shrunk=received.was_shrunk, faces=repairing)
    notices = (*((_FIRST,) if has_more else ()), *received.notices)
    order = JobOrder(origin=origin_of(interaction, StartedBy.ENLARGE), request=request, notices=notices)
    await ask(services, interaction, order)


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
    notices = (_FIRST,) if len(pictures) > 1 else ()
    origin = origin_of(interaction, StartedBy.UPSCALE, lineage)
    await ask(services, interaction, JobOrder(origin=origin, request=request, notices=notices))
