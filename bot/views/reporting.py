"""The answer to the form of *Easel: report*, and the button by which a member appeals against hidden pictures."""

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions import reporting
from bot.interactions.find_job import find_job
from bot.interactions.services import Services
from bot.presenting.custom_ids import Press
from bot.presenting.report_form import MAX_NOTE, NOTE, REASON
from bot.store.rows.cases import Report, ReportReason
from bot.views.fields import Fields


async def appeal(services: Services, interaction: Interaction, press: Press) -> None:
    """Ask the moderators whether pictures were hidden wrongly."""
    await reporting.appeal(services, interaction, await find_job(services, interaction, press))


async def answer(services: Services, interaction: Interaction, job_id: int, fields: Fields) -> None:
    """Keep the report of a submitted form."""
    reason = fields.text(REASON)
    if reason not in list(ReportReason):
        raise Refused("refused-report-reason")
    report = Report(
        reporter_id=interaction.user.id,
        reason=ReportReason(reason),
        note=fields.text(NOTE)[:MAX_NOTE],
        locale=str(interaction.locale),
    )
    await reporting.report(services, interaction, job_id, report)
