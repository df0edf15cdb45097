"""`🔁` and `✖ Cancel`."""

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self, cast

import discord
import msgspec
from discord import ui
from typing_extensions import override

from bot.commands.asking import ask
from bot.errors import Refused
from bot.jobs.resolving import reroll
from bot.presenting import custom_ids
from bot.replies import answer_error
from bot.store.rows import Job, JobKind, JobStatus

if TYPE_CHECKING:
    from bot.client import EaselClient
    from bot.services import Services


async def _find_job(services: "Services", interaction: discord.Interaction[Any], job_id: int) -> Job:
    """The row that a button claims to be about; the id is only a claim, message and server must fit."""
    job = await services.jobs.get(job_id)
    if job is None or job.guild_id != (interaction.guild_id or 0):
        raise Refused("refused-unknown-job")
    if interaction.message is None or job.channel_id != interaction.channel_id:
        raise Refused("refused-unknown-job")
    if job.message_id is None:
        # Pressed before the answer to our own post came back, which is where its id is from.
        return msgspec.structs.replace(job, message_id=interaction.message.id)
    if job.message_id != interaction.message.id:
        raise Refused("refused-unknown-job")
    return job


class _JobButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template="easel:never"):
    """A button about one job, which always answers."""

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
            await self.press(services, interaction, await _find_job(services, interaction, self.job_id))
        except Exception as error:  # noqa: BLE001 - a pressed button must always answer; the log gets the rest
            await answer_error(interaction, error)

    @abstractmethod
    async def press(self, services: "Services", interaction: discord.Interaction[Any], job: Job) -> None:
        """Do what the button says."""


class RerollButton(_JobButton, template=custom_ids.REROLL_TEMPLATE):
    """The same request with another seed, for and at the price of whoever presses."""

    @override
    async def press(self, services: "Services", interaction: discord.Interaction[Any], job: Job) -> None:
        if job.request.model_key not in services.catalogue.models:
            raise Refused("refused-model-unavailable", model=job.request.model_key)
        await ask(services, interaction, kind=JobKind.REROLL, request=reroll(job.request), parent_job_id=job.job_id)


class CancelButton(_JobButton, template=custom_ids.CANCEL_TEMPLATE):
    """Stops a job, for its owner and for those who may manage messages. The message itself says so."""

    @override
    async def press(self, services: "Services", interaction: discord.Interaction[Any], job: Job) -> None:
        if interaction.user.id != job.requester_id and not interaction.permissions.manage_messages:
            raise Refused("refused-not-yours")
        if job.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
            raise Refused("refused-already-over")
        await services.calls.defer(interaction)
        if not await services.dispatcher.cancel(job, interaction.user.id):
            raise Refused("refused-already-over")
