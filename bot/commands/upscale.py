"""`/upscale`: any picture in larger."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.options import without
from bot.commands.translating import localized, renamed
from bot.interactions import start_upscale
from bot.interactions.services import Services
from bot.requests.enlarging.creative import CREATIVE, OFF, is_creative
from pipeline.protocol import limits
from pipeline.protocol.catalogue.networks import FaceSpec, UpscalerSpec

_MAX_CHOICES: Final = 25
"""Discord's limit of choices."""


def make_upscale(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command, with the upscalers of the catalogue.

    It has `faces` where the catalogue lists a network for faces, and `creative` where a model can draw in tiles.
    """
    catalogue = services.catalogue
    choices: dict[str, list[Choice[Any]]] = {
        "scale": [Choice(name=str(scale), value=scale) for scale in limits.UPSCALES],
        "upscaler": _titled(catalogue.upscalers),
        "faces": _titled(catalogue.faces),
        "creative": [Choice(name=localized(f"choice-creative-{word}"), value=word) for word in (OFF, *CREATIVE)],
    }
    left_out = set() if catalogue.faces else {"faces"}
    if not any(is_creative(spec) for spec in catalogue.models.values()):
        left_out |= {"creative", "prompt"}

    async def upscale(
        interaction: Interaction,
        image: discord.Attachment,
        scale: int | None = None,
        creative: str | None = None,
        prompt: Range[str, 1, limits.MAX_PROMPT_LENGTH] | None = None,
        upscaler: str | None = None,
        faces: str | None = None,
    ) -> None:
        await start_upscale.upscale_attached(
            services,
            interaction,
            image,
            scale=scale,
            upscaler=upscaler,
            faces=faces,
            creative=creative,
            prompt=prompt,
        )

    offered = without(upscale, left_out)
    _, *names = inspect.signature(offered).parameters
    described = {name: localized(f"option-upscale-{name}") for name in names}
    offered = app_commands.choices(**{name: each for name, each in choices.items() if name in names})(offered)
    offered = app_commands.rename(**renamed("image"))(app_commands.describe(**described)(offered))
    return app_commands.command(name="upscale", description=localized("command-upscale"))(offered)


def _titled(specs: Mapping[str, UpscalerSpec] | Mapping[str, FaceSpec]) -> list[Choice[Any]]:
    return [Choice(name=spec.title[:100], value=spec.key) for spec in specs.values()][:_MAX_CHOICES]
