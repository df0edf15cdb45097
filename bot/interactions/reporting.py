"""*Easel: report*, and appeals against hidden pictures: who may do it, and what they read."""

from datetime import UTC, datetime
from typing import Final

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.find_job import check_not_held, check_not_removed
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.jobs.image_checking import hidden_hit
from bot.presenting.texts import text
from bot.store.cases import (
    MOST_APPEALS,
    MOST_REPORTS,
    AlreadyAppealed,
    AlreadyReported,
    TooManyAppeals,
    TooManyReports,
)
from bot.store.rows.cases import Report
from bot.store.rows.jobs import Job, JobStatus

_SHOWING: Final = (JobStatus.RUNNING, JobStatus.SUCCEEDED)
"""A job's pictures are shown a moment before it is done."""


async def job_to_report(services: Services, interaction: Interaction, job: Job | None) -> Job:
    """The job, if this member may report it.

    Raises:
        Refused: this is no place with moderators, the job has no result or is the member's own, or they reported it or
            too many others.
    """
    if not server_of(interaction):
        raise Refused("refused-report-place", contact=services.settings.privacy.contact or "none")
    if job is None or job.guild_id != server_of(interaction) or job.status not in _SHOWING:
        raise Refused("refused-report-nothing")
    if not await services.jobs.outputs(job.job_id):
        raise Refused("refused-report-nothing")
    check_not_removed(job)
    check_not_held(job)
    if job.requester_id == interaction.user.id:
        raise Refused("refused-report-own")
    try:
        await services.cases.may_report(job, interaction.user.id, datetime.now(UTC))
    except (AlreadyReported, TooManyReports) as error:
        raise _refusal(error) from error
    return job


async def report(services: Services, interaction: Interaction, job_id: int, report: Report) -> None:
    """Keep the report of a submitted form, and tell its member who reads it.

    Raises:
        Refused: nothing was kept.
    """
    job = await job_to_report(services, interaction, await services.jobs.get(job_id))
    if job.channel_id != interaction.channel_id:
        raise Refused("refused-report-nothing")
    # Cards and spoilers call Discord. That may take longer than the three seconds for an answer.
    await services.calls.defer(interaction, is_private=True, is_answered_later=True)
    locale = str(interaction.guild_locale or "")
    try:
        is_shown = await services.reviewing.report(job, report, datetime.now(UTC), locale)
    except (AlreadyReported, TooManyReports) as error:
        raise _refusal(error) from error
    await answer_privately(interaction, text("report-taken" if is_shown else "report-taken-unseen"))


async def appeal(services: Services, interaction: Interaction, job: Job) -> None:
    """Show the words of a job whose pictures were hidden to the moderators.

    Raises:
        Refused: nothing was kept.
    """
    if job.requester_id != interaction.user.id:
        raise Refused("refused-appeal-not-yours")
    hit = hidden_hit(job)
    if hit is None:
        raise Refused("refused-appeal-none")
    await services.calls.defer(interaction, is_private=True, is_answered_later=True)
    locale = str(interaction.guild_locale or "")
    try:
        is_shown = await services.reviewing.appeal_hidden(job, hit, datetime.now(UTC), locale)
    except AlreadyAppealed as error:
        raise Refused("refused-appeal-again") from error
    except TooManyAppeals as error:
        raise Refused("refused-appeal-often", most=MOST_APPEALS) from error
    await answer_privately(interaction, text("appeal-taken" if is_shown else "appeal-taken-unseen"))


def _refusal(error: AlreadyReported | TooManyReports) -> Refused:
    if isinstance(error, AlreadyReported):
        return Refused("refused-report-again")
    return Refused("refused-report-often", most=MOST_REPORTS)
