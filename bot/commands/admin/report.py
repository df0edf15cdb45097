"""`/admin quota report`: a chart and a table of the server's usage."""

import asyncio
import io
import os
from datetime import UTC, datetime
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Range

from bot.calls.answers import Interaction
from bot.commands.admin.checks import guild_of
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import report, report_chart

_MAX_DAYS = 90
_DEFAULT_DAYS = 30


def make_report(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="report", description=localized("command-admin-quota-report"))
    @app_commands.describe(days=localized("option-admin-days"))
    async def report_(interaction: Interaction, days: Range[int, 1, _MAX_DAYS] = _DEFAULT_DAYS) -> None:
        await services.calls.defer(interaction, is_private=True)
        time_zone = services.settings.quotas.time_zone
        now = datetime.now(UTC)
        since = report.first_day(now, days, time_zone)
        uses = await services.ledger.use_since(guild_of(interaction), since)
        # Only this command uses matplotlib. It keeps its font list in this folder.
        os.environ.setdefault("MPLCONFIGDIR", str(services.settings.storage.directory / "cache" / "matplotlib"))
        chart = await asyncio.to_thread(report_chart.chart, uses, since=since, now=now, time_zone=time_zone)
        table = await asyncio.to_thread(report.csv, uses, time_zone=time_zone)
        summary = report.summary(uses, days)
        await answer_privately(
            interaction,
            summary,
            files=[
                discord.File(io.BytesIO(chart), "easel-use.png", description=summary),
                discord.File(io.BytesIO(table), "easel-use.csv"),
            ],
        )

    return report_
