"""The initial world of the local Discord: one server, two channels, three people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from playground.bridge import ChannelHandle, GuildHandle, LocalEnv, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simcord import RoleHandle


@dataclass(frozen=True)
class Cast:
    """The server, channels and people of the local Discord."""

    guild: GuildHandle
    studio: ChannelHandle
    lounge: ChannelHandle
    member: Person
    friend: Person
    admin: Person


def populate(env: LocalEnv) -> Cast:
    """Create the server. None of the people owns it, since owners pass every permission check."""
    guild = env.create_guild("Easel playground")
    studio = guild.create_text_channel("studio", topic="Ask Easel for a picture: type /imagine")
    lounge = guild.create_text_channel("lounge", topic="A second channel, for rules by channel")
    permissions = discord.Permissions(manage_guild=True, manage_messages=True)
    keepers = guild.create_role("Keepers", permissions=permissions)
    return Cast(
        guild=guild,
        studio=studio,
        lounge=lounge,
        member=join(env, guild, "mia", "Mia (member)"),
        friend=join(env, guild, "finn", "Finn (friend)"),
        admin=join(env, guild, "ada", "Ada (admin)", roles=[keepers]),
    )


def join(env: LocalEnv, guild: GuildHandle, name: str, shown_as: str, roles: Sequence[RoleHandle] = ()) -> Person:
    """A new member of the server."""
    user = env.create_user(name, global_name=shown_as)
    guild.add_member(user, roles=roles)
    return Person(env, guild, user)
