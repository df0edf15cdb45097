"""Buttons that end a job or take its message away."""

from typing import TYPE_CHECKING

from bot.commands.asking import server_of
from bot.commands.queue import my_queue
from bot.errors import Refused
from bot.presenting.custom_ids import Press
from bot.presenting.texts import text
from bot.store.rows import JobStatus
from bot.views.finding import Interaction, find_job, may_manage

if TYPE_CHECKING:
    from bot.services import Services

_OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)


async def cancel(services: "Services", interaction: Interaction, press: Press) -> None:
    """Stop a job. The message itself says so."""
    job = await find_job(services, interaction, press)
    if not may_manage(interaction, job):
        raise Refused("refused-not-yours")
    if job.status not in _OPEN:
        raise Refused("refused-already-over")
    await services.calls.defer(interaction)
    if not await services.dispatcher.cancel(job, interaction.user.id):
        raise Refused("refused-already-over")


async def cancel_mine(services: "Services", interaction: Interaction, press: Press) -> None:
    """Stop a job from the private list of `/queue`, and show the list anew."""
    job = await services.jobs.get(press.job_id)
    # The list is private, so nobody presses for another but with a forged id; they learn nothing from the answer.
    if job is None or (job.guild_id, job.requester_id) != (server_of(interaction), interaction.user.id):
        raise Refused("refused-unknown-job")
    if job.status not in _OPEN:
        raise Refused("refused-already-over")
    await services.calls.defer(interaction)
    if not await services.dispatcher.cancel(job, interaction.user.id):
        raise Refused("refused-already-over")
    note = text("queue-cancelled", job_id=press.job_id)
    await services.calls.edit_answer(interaction, await my_queue(services, interaction, note))


async def delete(services: "Services", interaction: Interaction, press: Press) -> None:
    """Take a message away, with the files of its pictures unless somebody keeps them."""
    job = await find_job(services, interaction, press)
    if not may_manage(interaction, job):
        raise Refused("refused-not-yours-to-delete")
    await services.calls.defer(interaction)
    await services.calls.delete_answer(interaction)
    await services.keeping.remove(job)
