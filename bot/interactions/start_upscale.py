"""From an attached picture, or one in a message, to the job that enlarges it."""

from collections.abc import Coroutine
from typing import Any, Final

import discord

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.patience import in_time
from bot.interactions.services import Services
from bot.interactions.start_job import ask, lineage_of, origin_of
from bot.pictures.receiving import Received
from bot.requests.enlarging import upscale_request, upscaler_of
from bot.store.images import StorageFailed
from bot.store.rows import Job, JobOrder, StartedBy
from pipeline.protocol.messages import Notice

_FIRST: Final = Notice(key="notice-first-picture")


async def upscale_attached(
    services: Services,
    interaction: Interaction,
    attachment: discord.Attachment,
    *,
    scale: int | None = None,
    upscaler: str | None = None,
    has_more: bool = False,
) -> None:
    """Ask for an attached picture in larger.

    Args:
        services: the bot's services.
        interaction: the command.
        attachment: the picture.
        scale: factor between the sides; None is the greatest that the bounds allow.
        upscaler: key of the upscaler; None is the catalogue's first one.
        has_more: whether the message has further pictures.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    spec = upscaler_of(services.catalogue, upscaler)
    received = await in_time(services, interaction, services.receiving.receive(attachment))
    request = upscale_request(received.picture, scale, spec, was_shrunk=received.was_shrunk)
    notices = (*((_FIRST,) if has_more else ()), *received.notices)
    order = JobOrder(origin=origin_of(interaction, StartedBy.ENLARGE), request=request, notices=notices)
    await ask(services, interaction, order)


async def upscale_drawn(services: Services, interaction: Interaction, job: Job, message: discord.Message) -> None:
    """Ask for the first picture of a job in larger: the stored file, or the message's if the store no longer has it.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    spec = upscaler_of(services.catalogue, None)
    pictures = [each for each in await services.jobs.outputs(job.job_id) if each.media_type.startswith("image/")]
    if not pictures:
        raise Refused("refused-no-pictures")
    first = pictures[0]
    try:
        data = await services.keeping.read(first.sha256)
    except StorageFailed:
        receiving = _from_message(services, message)
    else:
        receiving = _from_store(services, data)
    received = await in_time(services, interaction, receiving)
    request = upscale_request(received.picture, None, spec, was_shrunk=received.was_shrunk, prompt=job.request.prompt)
    lineage = lineage_of(job, first.output_index)
    notices = (_FIRST,) if len(pictures) > 1 else ()
    origin = origin_of(interaction, StartedBy.UPSCALE, lineage)
    await ask(services, interaction, JobOrder(origin=origin, request=request, notices=notices))


def _from_store(services: Services, data: bytes) -> Coroutine[Any, Any, Received]:
    return services.receiving.receive_file(data)


def _from_message(services: Services, message: discord.Message) -> Coroutine[Any, Any, Received]:
    """Read the message's first attachment.

    Raises:
        Refused: it has none any more.
    """
    if not message.attachments:
        raise Refused("refused-image-gone")
    return services.receiving.receive(message.attachments[0])
