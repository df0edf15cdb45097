"""Pictures that jobs made, as pictures for other jobs."""

import discord

from bot.errors import Refused
from bot.interactions.services import Services
from bot.pictures.receiving import Received
from bot.store.images import StorageFailed
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import Output


async def pictures_of(services: Services, job: Job) -> list[Output]:
    """The pictures that a job made, at least one.

    Raises:
        Refused: it made none.
    """
    pictures = [each for each in await services.jobs.outputs(job.job_id) if each.media_type.startswith("image/")]
    if not pictures:
        raise Refused("refused-no-pictures")
    return pictures


async def received_from(services: Services, output: Output, message: discord.Message) -> Received:
    """A job's picture, kept for another job: the stored file, or the message's if the store no longer has it.

    Raises:
        Refused: the message has none any more, or the file is no picture within the bounds.
        CallFailed: the file could not be fetched.
    """
    try:
        data = await services.keeping.read(output.sha256)
    except StorageFailed:
        if not message.attachments:
            raise Refused("refused-image-gone") from None
        return await services.receiving.receive(message.attachments[0])
    return await services.receiving.receive_file(data)
