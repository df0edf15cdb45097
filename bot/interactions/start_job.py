"""From an interaction to a job with a message, for commands and buttons."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import discord
import structlog
from discord import ui

from bot.calls.answers import Interaction
from bot.calls.channels import is_age_restricted
from bot.calls.errors import CallFailed, WordsBlocked
from bot.errors import Refused
from bot.interactions.patience import in_time
from bot.interactions.services import Services
from bot.jobs.kinds import kind_of
from bot.presenting.jobs import job_message
from bot.store.queue import Place
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobOrder, JobStatus
from bot.store.rows.origin import Asker, Lineage, Origin, StartedBy
from bot.store.rows.preferences import AskerDefaults
from bot.words import clean

TOKEN_LIFETIME: Final = timedelta(minutes=15)
"""https://discord.com/developers/docs/interactions/receiving-and-responding"""

_log = structlog.get_logger(__name__)


class Unseen(Refused):
    """A job was accepted and refunded, since Discord showed its message to nobody."""


def server_of(interaction: Interaction) -> int:
    """The server whose rules apply; 0 if Easel does not belong to a server.

    It is 0 in direct messages, and for members who installed Easel for themselves: else each new server would give them
    a new quota.
    """
    return (interaction.guild_id or 0) if interaction.is_guild_integration() else 0


def asker_of(interaction: Interaction) -> Asker:
    """The asker: user, server, channel and roles, as the interaction states them."""
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return Asker(
        guild_id=server_of(interaction),
        channel_id=interaction.channel_id or 0,
        parent_channel_id=interaction.channel.parent_id if isinstance(interaction.channel, discord.Thread) else None,
        user_id=interaction.user.id,
        role_ids=tuple(role.id for role in roles),
    )


async def defaults_of(services: Services, asker: Asker) -> AskerDefaults:
    """The defaults for an asker. Those of the channel come first, since a channel has a purpose."""
    chosen, (channel, server) = await asyncio.gather(
        services.user_settings.get(asker.user_id), services.servers.defaults(asker)
    )
    return AskerDefaults(channel=channel, own=chosen.defaults, server=server)


def origin_of(
    interaction: Interaction, started_by: StartedBy, lineage: Lineage | None = None, *, key: int | None = None
) -> Origin:
    """The interaction as the origin of a job.

    Args:
        interaction: the command or press; its token has just begun to live.
        started_by: the command or button.
        lineage: the job's parent, if it has one.
        key: idempotency key in place of the interaction's id; negative, so that it never equals one.

    Raises:
        Refused: the interaction has no channel.
    """
    if interaction.channel_id is None:
        raise Refused("refused-unknown-job")
    return Origin(
        interaction_id=interaction.id if key is None else key,
        interaction_token=interaction.token,
        token_expires_at=datetime.now(UTC) + TOKEN_LIFETIME,
        started_by=started_by,
        lineage=lineage,
        asker=asker_of(interaction),
        requester_name=clean(interaction.user.display_name),
        locale=str(interaction.locale),
        filesize_limit=interaction.filesize_limit,
        is_age_restricted=is_age_restricted(interaction.channel),
        shown_guild_id=interaction.guild_id or 0,
    )


async def ask(services: Services, interaction: Interaction, order: JobOrder) -> None:
    """Accept a job, then answer with its message. In this order, each message at Discord has its row in the database.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    accepting = services.accepting.accept(order)
    # The worker checks given pictures first.
    job, place = await (in_time(services, interaction, accepting) if order.request.inputs else accepting)
    if job.message_id is None:  # a message exists only if the same interaction came twice; the first one answered
        await _show(services, job, place, lambda view: services.calls.answer(interaction, view=view))


async def ask_beside(services: Services, interaction: Interaction, order: JobOrder) -> None:
    """Accept one of several jobs of an acknowledged interaction, and post its message beside the answer.

    The order's origin has a key of its own, since the interaction's id belongs to no single job.

    Raises:
        Refused: nothing was accepted and nothing charged.
        Unseen: the job was accepted and refunded.
    """
    job, place = await services.accepting.accept(order)
    if job.message_id is None and not await _show(
        services, job, place, lambda view: services.calls.post_beside(interaction, view)
    ):
        raise Unseen("refused-no-message")


async def _show(
    services: Services, job: Job, place: Place, post: Callable[[ui.LayoutView], Awaitable[int | None]]
) -> bool:
    """Post the job's message and let the job run; False, with a refund, if nobody can have seen the message."""
    prospect = await services.dispatcher.prospect_from(job, place)
    present = kind_of(job.request).queued
    try:
        try:
            message_id = await post(present(job, prospect))
        except WordsBlocked:
            hidden = await services.jobs.add_notice(job.job_id, job_message.WORDS_HIDDEN)
            message_id = await post(present(hidden, prospect))
    except CallFailed as error:
        if error.is_refusal or not _may_be_seen(services, job):
            await services.jobs.end(job.job_id, status=JobStatus.FAILED, failure=JobFailure.UNANSWERED, error_id=None)
            _log.warning("Discord took no message", action="unanswered", error=repr(error), **job.log_context())
            return False
        # The message may have arrived. The dispatcher asks Discord later, then runs the job or refunds it.
        _log.warning("acknowledgement unsure", action="unsure", error=repr(error), **job.log_context())
        return True
    if message_id is not None:
        await services.jobs.record_message(job.job_id, message_id)
    _log.info("job accepted", action="accepted", **job.log_context())
    services.dispatcher.wake()
    return True


def _may_be_seen(services: Services, job: Job) -> bool:
    """Whether the job's message may have arrived without a receipt. For a message beside an answer this is unknown."""
    return not job.is_answer or services.calls.watch.first_answers.may_have_arrived(job.origin.interaction_id)


def lineage_of(job: Job, index: int | None = None) -> Lineage:
    """The lineage of a derived job: its parent, and the parent's image if it has several."""
    return Lineage(
        parent_job_id=job.job_id,
        parent_message_id=job.message_id,
        parent_image_index=index if job.request.output_count > 1 else None,
    )
