"""`/queue`: the member's jobs, each with a cancel button. The answer is private."""

from datetime import UTC, datetime, timedelta
from typing import Any

from discord import app_commands, ui

from bot.calls.answers import Interaction
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.presenting.jobs import queue_message
from bot.presenting.jobs.queue_message import Place, ServerQueue
from bot.store.rows.jobs import JobStatus

_MAX_KEPT = 3
_FOR_EVER_DAYS = 365
_MAX_JOBS = 100
"""More jobs than the host's settings allow a member to have waiting. With more, the count would be too low."""


def make_queue(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name=localized("name-queue"), description=localized("command-queue"))
    async def queue(interaction: Interaction) -> None:
        await answer_privately(interaction, view=await my_queue(services, interaction))

    return queue


async def my_queue(services: Services, interaction: Interaction, note: str | None = None) -> ui.LayoutView:
    """The member's present list, below a note about the last action."""
    guild_id = server_of(interaction)
    jobs = await services.queue.of_member(guild_id, interaction.user.id, _MAX_JOBS)
    places: list[Place] = []
    for number, job in enumerate(jobs):
        is_waiting = job.status is JobStatus.QUEUED and number < queue_message.MAX_SHOWN_JOBS
        places.append(Place(job=job, prospect=await services.dispatcher.prospect(job) if is_waiting else None))
    server = None
    if guild_id:
        server = ServerQueue(
            waiting=await services.queue.waiting_of(guild_id), state=await services.servers.queue_state(guild_id)
        )
    since = datetime.now(UTC) - timedelta(days=services.settings.storage.keep_images_days or _FOR_EVER_DAYS)
    kept = await services.jobs.drawn_and_not_shown(guild_id, interaction.user.id, since, _MAX_KEPT)
    return queue_message.my_jobs(places, server, kept=kept, note=note)
