"""`/cutout`: a picture without its background."""

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice

from bot.calls.answers import Interaction
from bot.commands.options import without
from bot.commands.translating import localized, renamed
from bot.interactions import start_cutout
from bot.interactions.services import Services

_MAX_CHOICES = 25


def make_cutout(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command. It has `network` where the catalogue lists several."""
    listed = services.catalogue.cutouts.values()
    is_choice = len(listed) > 1

    async def cutout(interaction: Interaction, image: discord.Attachment, network: str | None = None) -> None:
        await start_cutout.cut_out(services, interaction, image, network)

    offered = cutout if is_choice else without(cutout, {"network"})
    names = ("image", "network") if is_choice else ("image",)
    offered = app_commands.describe(**{name: localized(f"option-cutout-{name}") for name in names})(offered)
    if is_choice:
        choices = [Choice(name=spec.title[:100], value=spec.key) for spec in listed][:_MAX_CHOICES]
        offered = app_commands.choices(network=choices)(offered)
    offered = app_commands.rename(**renamed("image"))(offered)
    return app_commands.command(name="cutout", description=localized("command-cutout"))(offered)
