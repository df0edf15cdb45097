"""`✖ Cancel` in the private list of `/queue`."""

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import ui
from typing_extensions import override

from bot.commands.queue import my_queue
from bot.errors import Refused
from bot.presenting import custom_ids
from bot.presenting.texts import text
from bot.replies import answer_error
from bot.store.rows import JobStatus

if TYPE_CHECKING:
    from bot.client import EaselClient
    from bot.services import Services


class CancelMineButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=custom_ids.CANCEL_MINE_TEMPLATE):
    """Stops a job of whoever presses, and shows the list anew."""

    def __init__(self, item: ui.Button[ui.LayoutView], job_id: int) -> None:
        super().__init__(item)
        self.job_id = job_id

    @override
    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), int(match["job_id"]))

    @override
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        services = cast("EaselClient", interaction.client).services
        try:
            await _cancel(services, interaction, self.job_id)
        except Exception as error:  # noqa: BLE001 - a pressed button must always answer; the log gets the rest
            await answer_error(interaction, error)


async def _cancel(services: "Services", interaction: discord.Interaction[Any], job_id: int) -> None:
    job = await services.jobs.get(job_id)
    # The list is private, so nobody presses for another but with a forged id; they learn nothing from the answer.
    if job is None or (job.guild_id, job.requester_id) != (interaction.guild_id or 0, interaction.user.id):
        raise Refused("refused-unknown-job")
    if job.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        raise Refused("refused-already-over")
    await services.calls.defer(interaction)
    if not await services.dispatcher.cancel(job, interaction.user.id):
        raise Refused("refused-already-over")
    note = text("queue-cancelled", job_id=job_id)
    await services.calls.edit_answer(interaction, await my_queue(services, interaction, note))
