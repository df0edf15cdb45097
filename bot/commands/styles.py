"""`/styles`: the LoRAs that the owner offers. The answer is private."""

from typing import Any

from discord import app_commands

from bot.calls.answers import Interaction
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.styles_message import styles_lines
from bot.requests.styles import styles_for


def make_styles(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name=localized("name-styles"), description=localized("command-styles"))
    async def styles(interaction: Interaction) -> None:
        await answer_privately(interaction, styles_lines(styles_for(services.backend.status)))

    return styles
