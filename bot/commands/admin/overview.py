"""`/admin status` and `/admin audit`: the worker's state, and the log of decisions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from discord import app_commands

from bot.calls.answers import Interaction
from bot.commands.admin.checks import guild_of
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import sentences
from bot.presenting.admin.status import status_lines
from pipeline.protocol.program import easel_version

_RECENT = timedelta(hours=1)
_SHOWN_DECISIONS = 15


def make_status(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="status", description=localized("command-admin-status"))
    async def status(interaction: Interaction) -> None:
        guild_id = guild_of(interaction)
        trouble = services.storing.trouble
        lines = status_lines(
            services.backend.status,
            titles={key: spec.title for key, spec in services.catalogue.entries.items()},
            waiting=await services.queue.waiting_of(guild_id),
            recent=await services.statistics.recent(guild_id, datetime.now(UTC) - _RECENT),
            version=easel_version(),
            other=services.calls.watch.other.seen,
            full_since=None if trouble is None else trouble.since,
            low_since=None if services.disk.trouble is None else services.disk.trouble.since,
            unsigned=services.signing.unsigned_total,
            hosts=services.backend.views,
            money=await _money(services),
        )
        await answer_privately(interaction, lines)

    return status


async def _money(services: Services) -> tuple[float, float] | None:
    """What was spent in this month, and the budget; None if no model has a price."""
    budget, zone = services.settings.engines.monthly_budget, services.settings.quotas.time_zone
    if not any(map(services.catalogue.is_priced, services.catalogue.models)):
        return None
    return await services.spendings.spent(datetime.now(UTC), zone), budget


def make_audit(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="audit", description=localized("command-admin-audit"))
    async def audit(interaction: Interaction) -> None:
        rows = await services.servers.audit_log(guild_of(interaction), _SHOWN_DECISIONS)
        await answer_privately(interaction, sentences.audit(rows))

    return audit
