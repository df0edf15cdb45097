"""From a confirmed grid to its sheet: the first job, then the message, then the other jobs."""

from datetime import UTC, datetime

import msgspec
import structlog

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_job import origin_of
from bot.presenting.jobs import sheet_message
from bot.presenting.jobs.sheet_message import Filled
from bot.store.expansions import Expansion
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import JobStatus
from bot.store.rows.origin import StartedBy
from bot.store.rows.sheets import Plan, Sheet

_log = structlog.get_logger(__name__)


async def start_sheet(services: Services, interaction: Interaction, expansion: Expansion, plan: Plan) -> None:
    """Post the sheet of a confirmed grid, and let it fill.

    Raises:
        Refused: nothing was charged.
    """
    sheet = Sheet(
        sheet_id=expansion.expansion_id,
        guild_id=expansion.guild_id,
        user_id=expansion.user_id,
        message_id=0,
        plan=plan,
        jobs=expansion.jobs,
        origin=origin_of(interaction, StartedBy.GRID, key=expansion.key(0)),
        refusal=None,
        created_at=datetime.now(UTC),
        ended_at=None,
    )
    # A member who may have no job gets no message either.
    job, _ = await services.accepting.accept(sheet.order(0))
    view = sheet_message.sheet(sheet, Filled(drawn=(), coming=plan.count, failed=0), None, is_veiled=False)
    try:
        message_id = await services.calls.post_beside(interaction, view)
    except CallFailed as error:
        await services.jobs.end(job.job_id, status=JobStatus.FAILED, failure=JobFailure.UNANSWERED, error_id=None)
        _log.warning("Discord took no sheet", action="unanswered", error=repr(error), **job.log_context())
        raise Refused("refused-no-message") from error
    await services.sheets.begin(msgspec.structs.replace(sheet, message_id=message_id))
