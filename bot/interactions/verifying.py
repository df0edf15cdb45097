"""`/verify`, and the part "Where it comes from" of *Easel: details*."""

import discord
from discord import ui

from bot.calls.answers import Interaction
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.details import view_of
from bot.presenting.origin_message import Origin, origin
from bot.store.rows.jobs import Job


async def verify(services: Services, interaction: Interaction, attachment: discord.Attachment) -> None:
    """Answer privately where an attached file comes from."""
    await services.calls.defer(interaction, is_private=True)
    await answer_privately(interaction, view=view_of(await where_from(services, interaction, attachment)))


async def where_from(
    services: Services, interaction: Interaction, attachment: discord.Attachment
) -> ui.Container[ui.LayoutView]:
    """The part "Where it comes from" about an attached file.

    Raises:
        Refused: the member asks too often, or the file is too large or no picture that can be read.
        CallFailed: the file could not be fetched.
    """
    judged = await services.asking.judge(attachment, interaction.user.id)
    places = judged.alike or (() if judged.place is None else (judged.place,))
    found = [await services.jobs.get(each.job_id) for each in places]
    made = None if judged.place is None else found[0]
    return origin(
        Origin(
            verdict=judged.verdict,
            reading=judged.reading,
            is_vouched=judged.is_vouched,
            jobs=tuple(job if job is not None and _may_know(interaction, job) else None for job in found),
            made_at=None if made is None else made.finished_at or made.created_at,
        )
    )


def _may_know(interaction: Interaction, job: Job) -> bool:
    """Whether this member may know about the job of a picture.

    That needs the server whose channel shows it, and the right to read that channel. Outside servers, and where a
    member brought Easel along, only that member may see the picture's message. Nobody is told about a job without a
    name, since its member's words were deleted, nor about one whose pictures moderators removed.
    """
    if not job.origin.requester_name or job.origin.shown_guild_id != (interaction.guild_id or 0):
        return False
    if job.removed_at is not None:
        return False
    is_own = job.requester_id == interaction.user.id
    return is_own or (job.guild_id != 0 and _reads_channel(interaction, job.channel_id))


def _reads_channel(interaction: Interaction, channel_id: int) -> bool:
    """Whether the member may read a channel of this server. What is not known, such as an old thread, counts as no."""
    if interaction.channel_id == channel_id:
        return True
    channel = None if interaction.guild is None else interaction.guild.get_channel_or_thread(channel_id)
    if channel is None or not isinstance(interaction.user, discord.Member):
        return False
    if isinstance(channel, discord.Thread) and channel.is_private():
        return False  # who is in it is not known
    allowed = channel.permissions_for(interaction.user)
    return allowed.view_channel and allowed.read_message_history
