"""The buttons below a page of a history: other pages, an archive, and one job with all of its buttons."""

import re
from typing import Any, Final, Self, cast
from zoneinfo import ZoneInfo

from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.calls.repeating import as_files
from bot.interactions.history import is_among_adults, message_of, page_of
from bot.interactions.replies import answer_privately, answered
from bot.interactions.services import Services
from bot.jobs.delivering.fitting import REQUEST_LIMIT
from bot.presenting.history import ids
from bot.presenting.history.ids import Turn
from bot.presenting.texts import text
from bot.store.rows.history import Sought

_MARGIN: Final = 256 * 1_024
"""Bytes of a message beside its file."""


class TurnButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.TURN_TEMPLATE):
    """A button that shows another page, or sends an archive. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], found: str) -> None:
        super().__init__(item)
        self.found = found

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), match[0])

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            turned = ids.read_turn(
                self.found, user_id=interaction.user.id, is_among_adults=is_among_adults(interaction)
            )
            if turned.turn is Turn.ZIP:
                await _send_archive(services, interaction, turned.sought)
            else:
                await _turn(services, interaction, turned)


class OpenButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=ids.OPEN_TEMPLATE):
    """A button that shows a job's message privately. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], job_id: int) -> None:
        super().__init__(item)
        self.job_id = job_id

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), int(match["job"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            await services.calls.defer(interaction)
            view, files = await message_of(services, interaction, self.job_id)
            await answer_privately(interaction, view=view, files=as_files(files))


async def _turn(services: Services, interaction: Interaction, turned: ids.Turned) -> None:
    """Show the page beside the present one, in its place."""
    await services.calls.defer(interaction)
    history, sought, spot = services.history, turned.sought, turned.spot
    if turned.turn is Turn.NEWER and spot is not None:
        found = await history.newer(sought, spot)
    else:
        found = await history.older(sought, spot)
    view, files = await page_of(services, interaction, sought, found)
    await services.calls.edit_answer(interaction, view, files)


async def _send_archive(services: Services, interaction: Interaction, sought: Sought) -> None:
    """Send the newest pictures of the search as one file, and say what is not in it."""
    await services.calls.defer(interaction)
    limit = min(interaction.filesize_limit, REQUEST_LIMIT) - _MARGIN
    archive = await services.history.archive(sought, limit)
    lines = [text("history-zip-sent", count=archive.count)]
    if archive.is_cut:
        day = archive.oldest_at.astimezone(ZoneInfo(services.settings.quotas.time_zone)).date()
        lines.append(text("history-zip-cut", day=day.isoformat()))
    if archive.too_large:
        lines.append(text("history-zip-large", count=archive.too_large))
    name = f"easel-{interaction.user.id}.zip"
    await answer_privately(interaction, "\n".join(lines), files=as_files([(name, archive.data)]))
