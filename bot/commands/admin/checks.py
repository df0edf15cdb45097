"""Who may decide here, and for which server: asked again at every command.

Discord hides the commands from others, but every server can change that in its settings, and subcommands inherit
nothing. So each command hangs directly below an `AdminGroup`, which discord.py asks before the command runs.
"""

from datetime import UTC, datetime

import discord
from discord import app_commands
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.presenting.texts import text
from bot.store.rows import Asker
from bot.store.servers import Decision

Person = discord.Member | discord.User


class AdminGroup(app_commands.Group):
    """Commands for those who may manage the server."""

    @override
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        permissions = interaction.permissions
        if interaction.guild_id is None or not (permissions.manage_guild or permissions.administrator):
            raise app_commands.CheckFailure(text("refused-not-admin"))
        return True


def guild_of(interaction: Interaction) -> int:
    """The only server that this interaction may see or change."""
    if interaction.guild_id is None:
        raise app_commands.CheckFailure(text("refused-not-admin"))
    return interaction.guild_id


def decision_of(interaction: Interaction, reason: str | None = None) -> Decision:
    """Who decides, for which server, now."""
    return Decision(guild_id=guild_of(interaction), actor_id=interaction.user.id, now=datetime.now(UTC), reason=reason)


def asker_for(interaction: Interaction, user: Person) -> Asker:
    """Somebody else as one who would ask here; who has left the server has no roles."""
    roles = user.roles if isinstance(user, discord.Member) else []
    return Asker(
        guild_id=guild_of(interaction),
        channel_id=interaction.channel_id or 0,
        user_id=user.id,
        role_ids=tuple(role.id for role in roles),
    )
