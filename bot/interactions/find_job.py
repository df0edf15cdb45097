"""From what an id claims to the row that it is about: server, channel, message and image must fit."""

import msgspec

from bot.calls.answers import Interaction
from bot.calls.recognizing import is_in_timeline
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.presenting.custom_ids import Press
from bot.store.rows import Job


async def find_job(services: Services, interaction: Interaction, press: Press) -> Job:
    """The job of the message that was pressed.

    Raises:
        Refused: there is none, or the id was taken from another message.
    """
    job = await find_job_of_any(services, interaction, press)
    check_shown_here(interaction, job)
    return job


def check_shown_here(interaction: Interaction, job: Job) -> None:
    """Refuse a press below a message that is no more the job's own.

    Raises:
        Refused: the job is shown in another message.
    """
    if interaction.message is None or job.message_id != interaction.message.id:
        raise Refused("refused-unknown-job")


async def find_job_of_any(services: Services, interaction: Interaction, press: Press) -> Job:
    """The job of any message that was ever its own: Discord may have edited it no more, and shown a new one.

    Raises:
        Refused: there is none, or the message is of another timeline or another Easel.
    """
    job = await services.jobs.get(press.job_id)
    if job is None or job.guild_id != server_of(interaction):
        raise Refused("refused-unknown-job")
    if interaction.message is None or job.channel_id != interaction.channel_id:
        raise Refused("refused-unknown-job")
    if not is_in_timeline(interaction.message, job):
        raise Refused("refused-unknown-job")
    if press.index is not None and press.index >= job.request.num_images:
        raise Refused("refused-unknown-job")
    if job.message_id is None:
        # Pressed before the answer to our own post came back, which is where its id is from.
        return msgspec.structs.replace(job, message_id=interaction.message.id)
    return job


def may_manage(interaction: Interaction, job: Job) -> bool:
    """Whether somebody may end what they see: its owner, and who may manage messages."""
    return interaction.user.id == job.requester_id or interaction.permissions.manage_messages
