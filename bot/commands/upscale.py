"""`/upscale`: any picture in larger."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import Choice

from bot.calls.answers import Interaction
from bot.commands.translating import localized, renamed
from bot.interactions import start_upscale
from bot.interactions.services import Services
from pipeline.protocol import limits

_MAX_CHOICES: Final = 25
"""Discord's limit of choices."""


def make_upscale(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command, with the upscalers of the catalogue."""
    upscalers = [Choice(name=spec.title[:100], value=spec.key) for spec in services.catalogue.upscalers.values()]
    faces = [Choice(name=spec.title[:100], value=spec.key) for spec in services.catalogue.faces.values()]
    scales = [Choice(name=str(scale), value=scale) for scale in limits.UPSCALES]
    words = {
        "image": localized("option-upscale-image"),
        "scale": localized("option-upscale-scale"),
        "upscaler": localized("option-upscale-upscaler"),
    }

    @app_commands.command(name="upscale", description=localized("command-upscale"))
    @app_commands.rename(**renamed("image"))
    @app_commands.describe(**words)
    @app_commands.choices(scale=scales)
    @app_commands.choices(upscaler=upscalers[:_MAX_CHOICES])
    async def upscale(
        interaction: Interaction,
        image: discord.Attachment,
        scale: int | None = None,
        upscaler: str | None = None,
    ) -> None:
        await start_upscale.upscale_attached(services, interaction, image, scale=scale, upscaler=upscaler)

    @app_commands.command(name="upscale", description=localized("command-upscale"))
    @app_commands.rename(**renamed("image"))
    @app_commands.describe(**words, faces=localized("option-upscale-faces"))
    @app_commands.choices(scale=scales)
    @app_commands.choices(upscaler=upscalers[:_MAX_CHOICES], faces=faces[:_MAX_CHOICES])
    async def upscale_with_faces(
        interaction: Interaction,
        image: discord.Attachment,
        scale: int | None = None,
        upscaler: str | None = None,
        faces: str | None = None,
    ) -> None:
        await start_upscale.upscale_attached(services, interaction, image, scale=scale, upscaler=upscaler, faces=faces)

    return upscale_with_faces if services.catalogue.faces else upscale
