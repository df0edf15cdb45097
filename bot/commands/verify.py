"""`/verify`: where a picture's file comes from. The answer is private."""

from typing import Any

import discord
from discord import app_commands

from bot.calls.answers import Interaction
from bot.commands.translating import localized, renamed
from bot.interactions import verifying
from bot.interactions.services import Services


def make_verify(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="verify", description=localized("command-verify"))
    @app_commands.rename(**renamed("picture"))
    @app_commands.describe(picture=localized("option-verify-picture"))
    async def verify(interaction: Interaction, picture: discord.Attachment) -> None:
        await verifying.verify(services, interaction, picture)

    return verify
