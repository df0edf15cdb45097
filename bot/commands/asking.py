"""From an interaction to a job with a message: shared by the command and the buttons that start jobs."""

import asyncio

import aiohttp
import discord
import structlog

from bot.errors import Refused
from bot.jobs.accepting import Asked
from bot.jobs.discord_calls import CALL_TIMEOUT_S
from bot.presenting import job_message
from bot.services import Services
from bot.store.rows import Job, JobKind, JobStatus
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

_log = structlog.get_logger(__name__)


async def ask(
    services: Services,
    interaction: discord.Interaction[discord.Client],
    *,
    kind: JobKind,
    request: GenerationRequest,
    notices: tuple[Notice, ...] = (),
    parent_job_id: int | None = None,
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
            parent_job_id=parent_job_id,
            guild_id=interaction.guild_id or 0,
            channel_id=interaction.channel_id,
            requester_id=interaction.user.id,
            requester_name=interaction.user.display_name,
            locale=str(interaction.locale),
            filesize_limit=interaction.filesize_limit,
            request=request,
            notices=notices,
        )
    )
    if job.message_id is not None:
        return  # the same interaction came twice; the first one answered
    await _answer(services, interaction, job)


async def _answer(services: Services, interaction: discord.Interaction[discord.Client], job: Job) -> None:
    """Post the job's message and let the job run; where Discord does not know the interaction, give back."""
    position = await services.jobs.queue_position(job.job_id)
    view = job_message.queued(job, position=position, starts_at=await services.dispatcher.starts_at(job, position))
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            response = await interaction.response.send_message(view=view)
    except (discord.HTTPException, aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        await services.jobs.end(job.job_id, status=JobStatus.FAILED, failure="delivery", error_id=None)
        _log.warning("acknowledgement lost", action="unacknowledged", error=repr(error), **job.log_context())
        return
    if response.message_id is not None:
        await services.jobs.record_message(job.job_id, response.message_id)
    _log.info("job accepted", action="accepted", **job.log_context())
    services.dispatcher.wake()
