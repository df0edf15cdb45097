"""`/admin queue`: show the waiting and running jobs, pause or drain the queue, and cancel a job."""

from typing import Any

from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.admin.checks import decision_of, guild_of
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import sentences
from bot.presenting.texts import text
from bot.quotas.standing import QueueState
from bot.store.rows.jobs import JobStatus

_SHOW = "show"
_MAX_JOB_ID = 2**53 - 1
"""The largest integer that Discord sends."""

_STATES = {"pause": QueueState.PAUSED, "resume": QueueState.OPEN, "drain": QueueState.DRAINING}


def make_queue_command(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="queue", description=localized("command-admin-queue"))
    @app_commands.describe(action=localized("option-admin-action"), cancel=localized("option-admin-cancel"))
    @app_commands.choices(
        action=[
            Choice(name=localized("choice-show"), value=_SHOW),
            Choice(name=localized("choice-pause"), value="pause"),
            Choice(name=localized("choice-resume"), value="resume"),
            Choice(name=localized("choice-drain"), value="drain"),
        ]
    )
    async def queue(
        interaction: Interaction, action: str = _SHOW, cancel: Range[int, 1, _MAX_JOB_ID] | None = None
    ) -> None:
        state = _STATES.get(action)
        if cancel is not None and state is not None:
            raise Refused("refused-one-at-a-time")
        if cancel is not None:
            await _cancel(services, interaction, cancel)
            return
        sentence = ""
        if state is not None:
            await services.servers.set_queue_state(decision_of(interaction), state)
            services.dispatcher.wake()
            sentence = text("admin-queue-set", state=state)
        await _show(services, interaction, sentence)

    return queue


async def _show(services: Services, interaction: Interaction, sentence: str) -> None:
    guild_id = guild_of(interaction)
    shown = sentences.queue(
        await services.servers.queue_state(guild_id),
        await services.queue.waiting_of(guild_id),
        await services.queue.running_of(guild_id),
        sentence,
    )
    await answer_privately(interaction, shown)


async def _cancel(services: Services, interaction: Interaction, job_id: int) -> None:
    """Cancel a job of this server. A job of another server gets the same answer as a missing job."""
    by = decision_of(interaction)
    job = await services.jobs.get(job_id)
    if job is None or job.guild_id != by.guild_id:
        raise Refused("refused-no-such-job", job_id=job_id)
    if job.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        raise Refused("refused-already-over")
    # Cancelling first edits the job's message. That may take longer than the three seconds for an answer.
    await services.calls.defer(interaction, is_private=True)
    # The audit row comes first: a row about a late decision does less harm than a decision without a row.
    await services.servers.write_audit(by, "cancel", f"<@{job.requester_id}>", str(job_id))
    if not await services.dispatcher.cancel(job, by.actor_id):
        raise Refused("refused-already-over")
    await answer_privately(interaction, text("admin-cancelled", job_id=job_id, user_id=str(job.requester_id)))
