"""`/morph`: an animation from one picture to another."""

from typing import Any

import msgspec
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.options import add_suggestions, with_options
from bot.commands.translating import localized
from bot.interactions.animating.start_morph import FRAMES, ask_for_morph
from bot.interactions.services import Services
from bot.requests.given import GivenRequest
from bot.requests.options.table import FIELDS, given_by
from pipeline.protocol import limits

_OPTIONS = tuple(FIELDS[name] for name in ("seed", "model", "size", "steps", "cfg", "sampler", "negative"))


def make_morph(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command. At least one model must be able to do it."""

    @app_commands.command(name="morph", description=localized("command-morph"))
    @with_options(services, _OPTIONS, lambda option: localized(f"option-{option.name}"), at=5)
    @app_commands.describe(
        start=localized("option-morph-from"),
        end=localized("option-morph-to"),
        frames=localized("option-morph-frames"),
        to_seed=localized("option-morph-to-seed"),
        loop=localized("option-morph-loop"),
    )
    @app_commands.rename(start="from", end="to")
    @app_commands.choices(frames=[Choice(name=str(count), value=count) for count in FRAMES])
    async def morph(
        interaction: Interaction,
        start: Range[str, 1, limits.MAX_PROMPT_LENGTH],
        end: Range[str, 1, limits.MAX_PROMPT_LENGTH],
        frames: int = FRAMES[1],
        to_seed: Range[int, limits.MIN_SEED, limits.MAX_SEED] | None = None,
        *,
        loop: bool = True,
        **typed: str | float | None,
    ) -> None:
        given = msgspec.structs.replace(GivenRequest(prompt=start), **given_by(_OPTIONS, typed))
        await ask_for_morph(services, interaction, given, end, end_seed=to_seed, frames=frames, is_returning=loop)

    add_suggestions(morph, services)
    return morph
