"""Below a sheet: cancel it, delete it, or take out a cell, which gives its picture a message of its own."""

import re
from typing import Any, Self, cast

from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.find_job import check_not_held, check_not_removed
from bot.interactions.history import whole_of
from bot.interactions.replies import answer_privately, answered
from bot.interactions.services import Services
from bot.presenting.jobs import sheet_ids
from bot.presenting.jobs.sheet_ids import SheetAct
from bot.presenting.links import job_link
from bot.presenting.texts import text
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.sheets import Refusal, Sheet


class SheetButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=sheet_ids.BUTTON_TEMPLATE):
    """A button that ends or deletes a sheet. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], act: SheetAct, number: int) -> None:
        super().__init__(item)
        self.act = act
        self.number = number

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), SheetAct(match["act"]), int(match["sheet"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            sheet, jobs = await _find(services, interaction, self.number)
            if interaction.user.id != sheet.user_id and not interaction.permissions.manage_messages:
                raise Refused("refused-not-yours" if self.act is SheetAct.CANCEL else "refused-not-yours-to-delete")
            await services.calls.defer(interaction)
            for job in await services.sheets.stop(sheet, Refusal(key="grid-cancelled", values={})):
                await services.dispatcher.cancel(job, interaction.user.id)
            if self.act is SheetAct.DELETE:
                await services.calls.delete_answer(interaction)
                for job in jobs.values():
                    if job.message_id == sheet.message_id:  # one that was taken out has a message of its own
                        await services.showcase.withdraw(job)
                        await services.keeping.remove(job)


class CellMenu(ui.DynamicItem[ui.Select[ui.LayoutView]], template=sheet_ids.MENU_TEMPLATE):
    """The menu that takes out a cell. Each choice gets an answer."""

    def __init__(self, item: ui.Select[ui.LayoutView], number: int) -> None:
        super().__init__(item)
        self.number = number

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Select[ui.LayoutView]", item), int(match["sheet"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            sheet, jobs = await _find(services, interaction, self.number)
            values = (interaction.data or {}).get("values") or [""]
            chosen = str(values[0])
            job = jobs.get(int(chosen)) if chosen.isdecimal() else None
            await _take_out(services, interaction, sheet, job)


async def _take_out(services: Services, interaction: Interaction, sheet: Sheet, job: Job | None) -> None:
    """Give the picture of a cell a message of its own, once.

    Raises:
        Refused: it has no picture that may be seen.
    """
    if job is None or job.status is not JobStatus.SUCCEEDED:
        raise Refused("refused-no-pictures")
    check_not_removed(job)
    check_not_held(job)
    if job.message_id != sheet.message_id:
        await answer_privately(interaction, text("grid-taken", job=job_link(job)))
        return
    await services.calls.defer(interaction)
    view, files = await whole_of(services, interaction, job)
    message_id = await services.calls.post_beside(interaction, view, files)
    await services.jobs.record_message(job.job_id, message_id)


async def _find(services: Services, interaction: Interaction, number: int) -> tuple[Sheet, dict[int, Job]]:
    """The sheet of the pressed message, and its jobs.

    Raises:
        Refused: it is not kept any more, or the id comes from another message.
    """
    found = await services.sheets.find(number)
    if found is None or interaction.message is None or found[0].message_id != interaction.message.id:
        raise Refused("refused-sheet-over")
    return found
