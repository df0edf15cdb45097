"""Permission checks of admin commands. They run at every command.

Discord hides these commands from other members, but a server can change that in its settings. Subcommands do not
inherit Discord's permission. So each command is directly below an `AdminGroup`, whose check discord.py runs first.
"""

from datetime import UTC, datetime

import discord
from discord import app_commands
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.presenting.texts import text
from bot.store.members.servers import Decision
from bot.store.rows.origin import Asker

Person = discord.Member | discord.User


class AdminGroup(app_commands.Group):
    """Commands for members who may manage the server."""

    @override
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        permissions = interaction.permissions
        if interaction.guild_id is None or not (permissions.manage_guild or permissions.administrator):
            raise app_commands.CheckFailure(text("refused-not-admin"))
        return True


def guild_of(interaction: Interaction) -> int:
    """The interaction's server, the only one that it may see or change."""
    if interaction.guild_id is None:
        raise app_commands.CheckFailure(text("refused-not-admin"))
    return interaction.guild_id


def decision_of(interaction: Interaction, reason: str | None = None) -> Decision:
    """A decision of this member in this server, now."""
    return Decision(guild_id=guild_of(interaction), actor_id=interaction.user.id, now=datetime.now(UTC), reason=reason)


def asker_for(interaction: Interaction, user: Person) -> Asker:
    """Another member as an asker in this channel. A user who left the server has no roles."""
    roles = user.roles if isinstance(user, discord.Member) else []
    return Asker(
        guild_id=guild_of(interaction),
        channel_id=interaction.channel_id or 0,
        user_id=user.id,
        role_ids=tuple(role.id for role in roles),
    )
