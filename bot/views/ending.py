"""Buttons that end a job or delete its message."""

import structlog

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed
from bot.commands.queue import my_queue
from bot.errors import Refused
from bot.interactions.find_job import check_shown_here, find_job, find_job_of_any, is_own_copy, may_manage
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.jobs import kinds
from bot.presenting.custom_ids import Press
from bot.presenting.jobs import job_message
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.store.rows.failures import NOT_SHOWN
from bot.store.rows.jobs import Job, JobStatus

_OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
_log = structlog.get_logger(__name__)


async def cancel(services: Services, interaction: Interaction, press: Press) -> None:
    """Cancel a job. Its message shows the end; an old message of an ended job is updated."""
    job = await find_job_of_any(services, interaction, press)
    if job.status not in _OPEN:
        await _bring_up_to_date(services, interaction, job)
        return
    check_shown_here(interaction, job)
    if not may_manage(interaction, job):
        raise Refused("refused-not-yours")
    await services.calls.defer(interaction)
    if not await services.dispatcher.cancel(job, interaction.user.id):
        raise Refused("refused-already-over")


async def _bring_up_to_date(services: Services, interaction: Interaction, job: Job) -> None:
    """Update a message that missed the end of its job, and tell the member privately where the pictures are."""
    view, sentence = None, text("refused-already-over")
    if interaction.message is not None and job.message_id != interaction.message.id:
        view, sentence = job_message.moved(job), text("over-moved", job=job_link(job))
    elif job.status is not JobStatus.SUCCEEDED:
        view = kinds.ended(job)
        if job.failure in NOT_SHOWN and interaction.user.id == job.requester_id:
            sentence = text("over-kept")
    elif job_message.SENT_DIRECTLY in job.notices:
        view = job_message.sent_directly(job)
        if interaction.user.id == job.requester_id:
            sentence = text("over-handed-over")
    # Otherwise the pictures are in this message: they arrived just after the press and must stay.
    if view is not None:
        try:
            await services.calls.redraw(interaction, view, [])
        except CallFailed as error:
            _log.info("message not brought up to date", action="not_redrawn", error=repr(error), **job.log_context())
    await answer_privately(interaction, sentence)


async def cancel_mine(services: Services, interaction: Interaction, press: Press) -> None:
    """Cancel a job from the private list of `/queue`, and show the new list."""
    job = await services.jobs.get(press.job_id)
    # The list is private, so only a forged id names another member's job. The answer reveals nothing.
    if job is None or (job.guild_id, job.requester_id) != (server_of(interaction), interaction.user.id):
        raise Refused("refused-unknown-job")
    await services.calls.defer(interaction)
    is_cancelled = job.status in _OPEN and await services.dispatcher.cancel(job, interaction.user.id)
    note = text("queue-cancelled", job_id=press.job_id) if is_cancelled else text("refused-already-over")
    await services.calls.edit_answer(interaction, await my_queue(services, interaction, note))


async def delete(services: Services, interaction: Interaction, press: Press) -> None:
    """Delete a message. Also delete its pictures' files, unless somebody keeps them."""
    job = await find_job(services, interaction, press)
    is_copy = await is_own_copy(services, interaction, job)
    # Rights in this server say nothing about a message in another one.
    if interaction.user.id != job.requester_id and (is_copy or not may_manage(interaction, job)):
        raise Refused("refused-not-yours-to-delete")
    await services.calls.defer(interaction)
    if is_copy:
        await _delete_shown(services, job.job_id)
    await services.calls.delete_answer(interaction)
    await services.showcase.withdraw(job)
    await services.keeping.remove(job)


async def _delete_shown(services: Services, job_id: int) -> None:
    """Delete the message that everybody sees, before the private copy whose button was pressed.

    Raises:
        Refused: Easel may not delete it there.
    """
    job = await services.jobs.get(job_id)
    if job is None or job.message_id is None:
        return
    try:
        await services.calls.delete_message(job)
    except CallFailed as error:
        _log.info("message not deleted", action="not_deleted", error=repr(error), **job.log_context())
        raise Refused("refused-not-deleted", job=job_link(job)) from error
