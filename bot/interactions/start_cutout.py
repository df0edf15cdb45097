"""From an attached picture to the job that makes its background transparent."""

import discord

from bot.calls.answers import Interaction
from bot.interactions.patience import in_time
from bot.interactions.services import Services
from bot.interactions.start_job import ask, origin_of
from bot.requests.cutting import cutout_network_of, cutout_request
from bot.store.rows.jobs import JobOrder
from bot.store.rows.origin import StartedBy


async def cut_out(
    services: Services, interaction: Interaction, attachment: discord.Attachment, network: str | None
) -> None:
    """Ask for the foreground of an attached picture.

    Args:
        services: the bot's services.
        interaction: the command.
        attachment: the picture.
        network: key of the network; None is the first one of the catalogue.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    spec = cutout_network_of(services.catalogue, network)
    received = await in_time(services, interaction, services.receiving.receive(attachment))
    request = cutout_request(received.picture, spec)
    origin = origin_of(interaction, StartedBy.CUTOUT)
    await ask(services, interaction, JobOrder(origin=origin, request=request, notices=received.notices))
