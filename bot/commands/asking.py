"""From an interaction to a job with a message: shared by the command and the buttons that start jobs."""

from typing import Any, Final

import discord
import structlog

from bot.calls.errors import CallFailed, InteractionLost
from bot.errors import Refused
from bot.jobs.accepting import Asked
from bot.jobs.given import GivenRequest
from bot.jobs.resolving import resolve
from bot.presenting import job_message
from bot.services import Services
from bot.store.rows import Asker, AskerDefaults, Job, JobKind, JobStatus, Lineage
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

_CHANNELS: Final = (
    discord.TextChannel,
    discord.VoiceChannel,
    discord.StageChannel,
    discord.ForumChannel,
    discord.Thread,
)
"""Those that a server may restrict to adults."""
_NO_DEFAULTS: Final = AskerDefaults()
_log = structlog.get_logger(__name__)


def server_of(interaction: discord.Interaction[Any]) -> int:
    """The server whose rules hold: where Easel was brought to a server. 0 in direct messages, and for somebody who
    brought Easel along for themselves, wherever they are: else each new server would be a new quota.
    """
    return (interaction.guild_id or 0) if interaction.is_guild_integration() else 0


def asker_of(interaction: discord.Interaction[discord.Client]) -> Asker:
    """Who asks and where, with the roles that the interaction states."""
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return Asker(
        guild_id=server_of(interaction),
        channel_id=interaction.channel_id or 0,
        parent_channel_id=interaction.channel.parent_id if isinstance(interaction.channel, discord.Thread) else None,
        user_id=interaction.user.id,
        role_ids=tuple(role.id for role in roles),
    )


def is_age_restricted(channel: object) -> bool:
    """Whether only adults see a channel, as far as Discord says so; a thread is like its channel.

    Direct messages are not: nobody set them up for adults.
    """
    return isinstance(channel, _CHANNELS) and channel.is_nsfw()


async def defaults_of(services: Services, asker: Asker) -> AskerDefaults:
    """What holds where somebody says nothing: a channel's come first, since it is made for something."""
    own = (await services.user_settings.get(asker.user_id)).defaults
    channel, server = await services.servers.defaults(asker)
    return AskerDefaults(channel=channel, own=own, server=server)


async def imagine(services: Services, interaction: discord.Interaction[discord.Client], given: GivenRequest) -> None:
    """Ask for what somebody typed, with defaults for the rest.

    Raises:
        Refused: nothing was taken and nothing charged.
    """
    resolved = resolve(
        given,
        catalogue=services.catalogue,
        limits=services.settings.limits,
        defaults=await defaults_of(services, asker_of(interaction)),
    )
    await ask(
        services,
        interaction,
        kind=JobKind.IMAGINE,
        request=resolved.request,
        defaults=resolved.defaults,
        notices=resolved.notices,
    )


async def ask(
    services: Services,
    interaction: discord.Interaction[discord.Client],
    *,
    kind: JobKind,
    request: GenerationRequest,
    defaults: AskerDefaults = _NO_DEFAULTS,
    notices: tuple[Notice, ...] = (),
    lineage: Lineage | None = None,
) -> None:
    """Accept a job and answer with its message, in this order: what Discord has seen is in the database.

    Raises:
        Refused: nothing was taken and nothing charged.
    """
    if interaction.channel_id is None:
        raise Refused("refused-unknown-job")
    job = await services.accepting.accept(
        Asked(
            interaction_id=interaction.id,
            interaction_token=interaction.token,
            kind=kind,
            lineage=lineage,
            asker=asker_of(interaction),
            requester_name=interaction.user.display_name,
            locale=str(interaction.locale),
            filesize_limit=interaction.filesize_limit,
            is_age_restricted=is_age_restricted(interaction.channel),
            shown_guild_id=interaction.guild_id or 0,
            request=request,
            defaults=defaults,
            notices=notices,
        )
    )
    if job.message_id is not None:
        return  # the same interaction came twice; the first one answered
    await _answer(services, interaction, job)


async def _answer(services: Services, interaction: discord.Interaction[discord.Client], job: Job) -> None:
    """Post the job's message and let the job run; where Discord does not know the interaction, give back."""
    position, starts_at = await services.dispatcher.starts_at(job)
    try:
        message_id = await services.calls.answer(
            interaction, view=job_message.queued(job, position=position, starts_at=starts_at)
        )
    except InteractionLost:
        await services.jobs.end(job.job_id, status=JobStatus.FAILED, failure="unanswered", error_id=None)
        _log.warning("Discord no longer knows the interaction", action="unanswered", **job.log_context())
        return
    except CallFailed as error:
        # Nobody knows whether it was seen: the dispatcher asks Discord later, and runs it or gives it back.
        _log.warning("acknowledgement unsure", action="unsure", error=repr(error), **job.log_context())
        return
    if message_id is not None:
        await services.jobs.record_message(job.job_id, message_id)
    _log.info("job accepted", action="accepted", **job.log_context())
    services.dispatcher.wake()
