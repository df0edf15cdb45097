"""`/admin pictures`: the pictures that a server blocks."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import Range

from bot.calls.answers import Interaction
from bot.commands.admin.checks import AdminGroup, decision_of, guild_of
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import pictures as sentences
from bot.store.members.image_blocks import MAX_BLOCKS, TooManyBlocks

_MAX_REASON: Final = 200


def make_pictures_group(services: Services) -> AdminGroup:
    """The group."""
    group = AdminGroup(name="pictures", description=localized("command-admin-pictures"))
    for make in (_make_block, _make_unblock, _make_list):
        group.add_command(make(services))
    return group


def _make_block(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="block", description=localized("command-admin-pictures-block"))
    @app_commands.describe(picture=localized("option-admin-picture"), reason=localized("option-admin-picture-reason"))
    async def block(
        interaction: Interaction, picture: discord.Attachment, reason: Range[str, 1, _MAX_REASON] | None = None
    ) -> None:
        await services.calls.defer(interaction, is_private=True)
        judged = await services.asking.judge(picture, interaction.user.id)
        if judged.reading.fingerprint is None:
            raise Refused("refused-picture-unreadable")
        try:
            number = await services.image_blocks.block_look(
                decision_of(interaction, reason), judged.reading.fingerprint.look
            )
        except TooManyBlocks as error:
            raise Refused("refused-picture-blocks", limit=MAX_BLOCKS) from error
        await answer_privately(interaction, sentences.blocked(number))

    return block


def _make_unblock(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="unblock", description=localized("command-admin-pictures-unblock"))
    @app_commands.describe(picture=localized("option-admin-picture-number"))
    async def unblock(interaction: Interaction, picture: Range[int, 1, 1_000_000]) -> None:
        if not await services.image_blocks.unblock(decision_of(interaction), picture):
            raise Refused("refused-picture-number", number=picture)
        await answer_privately(interaction, sentences.unblocked(picture))

    return unblock


def _make_list(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="list", description=localized("command-admin-pictures-list"))
    async def list_(interaction: Interaction) -> None:
        await answer_privately(interaction, sentences.listed(await services.image_blocks.blocks(guild_of(interaction))))

    return list_
