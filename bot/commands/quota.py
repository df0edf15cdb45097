"""`/quota`: units left, and the next reset. The answer is private."""

from typing import Any

from discord import app_commands

from bot.calls.answers import Interaction
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import asker_of, defaults_of
from bot.presenting.quota_message import quota_lines
from bot.requests.given import GivenRequest
from bot.requests.resolving import resolve


def make_quota(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name=localized("name-quota"), description=localized("command-quota"))
    async def quota(interaction: Interaction) -> None:
        asker = asker_of(interaction)
        one = resolve(
            GivenRequest(prompt="-", num_images=1),
            catalogue=services.catalogue,
            limits=services.settings.limits,
            defaults=await defaults_of(services, asker),
        )
        standing = await services.accepting.standing(asker, services.accepting.price(one.request))
        await answer_privately(interaction, quota_lines(standing))

    return quota
