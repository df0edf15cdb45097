"""`/imagine`: its options, their bounds and suggestions."""

from functools import partial
from typing import Any

import discord
import msgspec
from discord import app_commands
from discord.app_commands import Range

from bot.calls.answers import Interaction
from bot.commands.options import (
    add_strength_suggestions,
    add_style_suggestions,
    add_suggestions,
    add_use_suggestions,
    with_options,
)
from bot.commands.translating import localized
from bot.interactions import start_jobs
from bot.interactions.services import Services
from bot.requests.given import GivenRequest
from bot.requests.options.table import OPTIONS, PICTURES, given_by
from bot.requests.styles import find_style, styles_for
from pipeline.protocol import limits


def make_imagine(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command. Its bounds are the widest of all models in the catalogue."""

    @app_commands.command(name="imagine", description=localized("command-imagine"))
    @with_options(services, OPTIONS, lambda option: localized(f"option-{option.name}"), at=1)
    @app_commands.describe(prompt=localized("option-prompt"))
    async def imagine(
        interaction: Interaction,
        prompt: Range[str, 1, limits.MAX_PROMPT_LENGTH],
        **typed: str | float | discord.Attachment | None,
    ) -> None:
        fields = given_by(OPTIONS, typed)
        attached = {name: fields.pop(name) for name in PICTURES}
        style = fields.pop("style")
        if style is not None:
            fields["style"] = find_style(style, styles_for(services.backend.status))
        given = msgspec.structs.replace(GivenRequest(prompt=prompt), **fields)
        receive = {
            name: partial(services.receiving.receive, picture)
            for name, picture in attached.items()
            if isinstance(picture, discord.Attachment)
        }
        await start_jobs.imagine(services, interaction, given, receive)

    add_suggestions(imagine, services)
    add_style_suggestions(imagine, services)
    add_strength_suggestions(imagine, services)
    add_use_suggestions(imagine, services)
    return imagine
