"""The form of *Easel: report*."""

from typing import Any, Final

import discord
from discord import ui

from bot.presenting.custom_ids import report_id
from bot.presenting.texts import text
from bot.store.rows.cases import ReportReason

REASON: Final = "reason"
NOTE: Final = "note"
MAX_NOTE: Final = 300


def report_form(job_id: int) -> ui.Modal:
    """What is wrong with a result, and a note for the moderators."""
    form = ui.Modal(title=text("report-title"), custom_id=report_id(job_id), timeout=None)
    reasons = [discord.SelectOption(value=reason, label=text(f"report-reason-{reason}")) for reason in ReportReason]
    form.add_item(ui.Label(text=text("report-reason"), component=ui.Select[Any](custom_id=REASON, options=reasons)))
    note = ui.TextInput[Any](
        custom_id=NOTE, style=discord.TextStyle.paragraph, required=False, max_length=MAX_NOTE, default=None
    )
    form.add_item(ui.Label(text=text("report-note"), component=note))
    return form
