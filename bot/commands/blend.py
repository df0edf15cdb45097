"""`/blend`: a picture of what several pictures show."""

from functools import partial
from typing import Any

import discord
import msgspec
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.options import matching, suggest
from bot.commands.translating import localized, renamed
from bot.errors import Refused
from bot.interactions import start_jobs
from bot.interactions.services import Services
from bot.presenting.summaries import size_choices
from bot.requests.abilities import BLENDED, blending
from bot.requests.given import GivenRequest
from pipeline.protocol import limits
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Use


def make_blend(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command. At least one model must be able to do it."""

    @app_commands.command(name="blend", description=localized("command-blend"))
    @app_commands.rename(**renamed("size"))
    @app_commands.describe(
        **{f"image{number}": localized("option-blend-image") for number in range(1, 6)},
        prompt=localized("option-blend-prompt"),
        size=localized("option-size"),
    )
    async def blend(
        interaction: Interaction,
        image1: discord.Attachment,
        image2: discord.Attachment,
        image3: discord.Attachment | None = None,
        image4: discord.Attachment | None = None,
        image5: discord.Attachment | None = None,
        prompt: Range[str, 1, limits.MAX_PROMPT_LENGTH] | None = None,
        size: Range[str, 1, 20] | None = None,
    ) -> None:
        given = GivenRequest(prompt="-" if prompt is None else prompt, size=size)
        spec, use = await _chosen(services, interaction, given)
        words = BLENDED[use] if prompt is None else prompt
        given = msgspec.structs.replace(given, prompt=words, model_key=spec.key, use=use.value, use2=use.value)
        attached = {"image": image1, "image2": image2, "image3": image3, "image4": image4, "image5": image5}
        receive = {
            name: partial(services.receiving.receive, each) for name, each in attached.items() if each is not None
        }
        await start_jobs.imagine(services, interaction, given, receive)

    async def sizes(_: Interaction, current: str) -> list[Choice[str]]:
        spec, _use = next(iter(blending(services.catalogue).values()))
        choices = size_choices(spec, services.settings.limits)
        return matching(current, [(words, name) for name, words in choices.items()])

    suggest(services, blend, "size", sizes)
    return blend


async def _chosen(services: Services, interaction: Interaction, given: GivenRequest) -> tuple[ModelSpec, Use]:
    """The model that the prompt or a default names, if it can blend; else the first one that can."""
    able = blending(services.catalogue)
    usual = next(iter(able.values()))
    try:
        spec = await start_jobs.model_for(services, interaction, given.with_picture("image", start_jobs.NOT_FETCHED))
    except Refused:  # whatever is wrong with more than the model is refused again with the pictures
        return usual
    return able.get(spec.key, usual)
