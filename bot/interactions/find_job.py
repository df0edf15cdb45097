"""The job for a custom id. Server, channel, message, action and output must fit the id."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import discord
import msgspec

from bot.calls.answers import Interaction
from bot.calls.recognizing import is_in_timeline
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.jobs.kinds import kind_of
from bot.presenting.custom_ids import ABOUT_ANY_JOB, MADE_FROM_ONE, Action, Press
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Hold, Job
from bot.store.rows.wishes import BlankedFor

_WHY_BLANK: Final[Mapping[BlankedFor, str]] = MappingProxyType(
    {
        BlankedFor.MEMBER: "refused-blanked-member",
        BlankedFor.AGE: "refused-blanked-age",
        BlankedFor.SERVER: "refused-blanked-server",
    }
)
_OF_REMOVED: Final = frozenset({Action.DELETE, Action.CANCEL})
"""Buttons that need neither pictures nor words: the message can be deleted, or brought up to date."""


_OF_HELD = frozenset({Action.CANCEL, Action.DELETE, Action.RETRY, Action.REMIX, Action.APPEAL})
"""Actions that need no picture."""


async def find_job(services: Services, interaction: Interaction, press: Press) -> Job:
    """The job of the message whose button was pressed, or of a private page of `/history`.

    Raises:
        Refused: there is no such job, or the id comes from another message.
    """
    job = await find_job_of_any(services, interaction, press)
    if not await is_own_copy(services, interaction, job):
        check_shown_here(interaction, job)
    elif job.channel_id != interaction.channel_id:
        # A new job's message links its parent's message in its own channel, where this parent has none.
        job = msgspec.structs.replace(job, message_id=None)
    if press.action in MADE_FROM_ONE:
        await check_there(services, job, press.index or 0)
    return job


async def is_own_copy(services: Services, interaction: Interaction, job: Job) -> bool:
    """Whether a press comes from a private message, by somebody whose pictures these are.

    Such a message is found by what its reader may see, whatever server or channel it stands in. The job's own message
    may be private too, where its member brought Easel along; it is no copy.
    """
    message = interaction.message
    if message is None or message.id == job.message_id or not message.flags.ephemeral:
        return False
    return await is_kept_by(services, job, interaction.user.id)


async def is_kept_by(services: Services, job: Job, user_id: int) -> bool:
    """Whether a member asked for a job or starred it."""
    return job.requester_id == user_id or await services.keeping.has_star(job, user_id)


def check_shown_here(interaction: Interaction, job: Job) -> None:
    """Check that the pressed message is the job's present message.

    Raises:
        Refused: the job is shown in another message.
    """
    if interaction.message is None or job.message_id != interaction.message.id:
        raise Refused("refused-unknown-job")


async def find_job_of_any(services: Services, interaction: Interaction, press: Press) -> Job:
    """The job of a present or former message.

    A job moves to a new message if Discord no longer lets us edit the old one.

    Raises:
        Refused: there is no such job, its kind has no such action, its pictures are gone, or the message belongs to
            another timeline or another Easel.
    """
    job = await services.jobs.get(press.job_id)
    if job is None or interaction.message is None:
        raise Refused("refused-unknown-job")
    if not await is_own_copy(services, interaction, job) and not _is_here(interaction, interaction.message, job):
        raise Refused("refused-unknown-job")
    if press.action not in _OF_REMOVED:
        check_not_removed(job)
    if press.action not in _OF_HELD:
        check_not_held(job)
    if press.action not in ABOUT_ANY_JOB | kind_of(job.request).actions:
        raise Refused("refused-unknown-job")
    if press.index is not None and press.index >= job.request.output_count:
        raise Refused("refused-unknown-job")
    if job.message_id is None:
        # The press came before the response to our post, which carries the message's id.
        return msgspec.structs.replace(job, message_id=interaction.message.id)
    return job


def _is_here(interaction: Interaction, message: discord.Message, job: Job) -> bool:
    """Whether a job belongs to the server, the channel and the timeline of a pressed message."""
    is_same_place = (job.guild_id, job.channel_id) == (server_of(interaction), interaction.channel_id)
    return is_same_place and is_in_timeline(message, job)


async def check_there(services: Services, job: Job, index: int) -> None:
    """Check that a job has a picture. One that the image check hid was never stored.

    Raises:
        Refused: it has none of this index.
    """
    there = {output.output_index for output in await services.jobs.outputs(job.job_id)}
    if index not in there:
        raise Refused("refused-hidden" if there or job.failure is JobFailure.FLAGGED else "refused-no-pictures")


def check_not_removed(job: Job) -> None:
    """Check that a job still has its pictures and words.

    Raises:
        Refused: moderators removed the pictures, or all was deleted; the sentence says why.
    """
    if job.blanked_for is not None:
        raise Refused(_WHY_BLANK[job.blanked_for])
    if job.removed_at is not None:
        raise Refused("refused-removed")


def check_not_held(job: Job) -> None:
    """Check that a job does not wait for a moderator, and was not refused by one.

    Raises:
        Refused: nobody has its pictures.
    """
    if job.hold in (Hold.WANTED, Hold.HELD):
        raise Refused("refused-held")


def may_manage(interaction: Interaction, job: Job) -> bool:
    """Whether a member may end a job: its requester, and members who may manage messages."""
    return interaction.user.id == job.requester_id or interaction.permissions.manage_messages
