"""`/quota`: what is left, and when it starts anew. Only the one who asks sees the answer."""

from typing import Any

import discord
from discord import app_commands

from bot.presenting.quota_message import quota_lines
from bot.presenting.texts import text
from bot.replies import answer_privately
from bot.services import Services


def make_quota(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="quota", description=text("command-quota"))
    async def quota(interaction: discord.Interaction[discord.Client]) -> None:
        state = await services.accepting.quota_state(interaction.guild_id or 0, interaction.user.id)
        await answer_privately(interaction, quota_lines(state, services.accepting.default_price()))

    return quota
