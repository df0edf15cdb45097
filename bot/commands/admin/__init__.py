"""`/admin`: decisions of members who manage a server. Every answer is private."""

import discord
from discord.app_commands import AppCommandContext, AppInstallationType

from bot.commands.admin.channel import make_channel
from bot.commands.admin.checks import AdminGroup
from bot.commands.admin.members import make_block, make_pause, make_unblock, make_warn
from bot.commands.admin.overview import make_audit, make_status
from bot.commands.admin.pictures import make_pictures_group
from bot.commands.admin.queue import make_queue_command
from bot.commands.admin.quota import make_quota_group
from bot.commands.admin.review import make_review
from bot.commands.admin.showcase import make_showcase
from bot.commands.admin.words import make_words_group
from bot.commands.translating import localized
from bot.interactions.services import Services


def make_admin(services: Services) -> AdminGroup:
    """The group with all its commands."""
    group = AdminGroup(
        name="admin",
        description=localized("command-admin"),
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=AppCommandContext(guild=True, dm_channel=False, private_channel=False),
        allowed_installs=AppInstallationType(guild=True, user=False),
    )
    group.add_command(make_quota_group(services))
    group.add_command(make_words_group(services))
    group.add_command(make_pictures_group(services))
    for make in (
        make_block,
        make_unblock,
        make_warn,
        make_pause,
        make_channel,
        make_review,
        make_showcase,
        make_queue_command,
        make_status,
        make_audit,
    ):
        group.add_command(make(services))
    return group
