"""What a member can do about a refusal by a rule of words: change the words, or appeal."""

import asyncio
from datetime import UTC, datetime

import structlog
from discord import ui

from bot.calls.answers import Interaction
from bot.interactions.services import Services
from bot.interactions.start_job import server_of
from bot.presenting import refusal
from bot.requests.typed.wildcards import Offending, WildcardFolder
from bot.safety.gate import Refusal
from bot.store.hits import NewHit
from pipeline.protocol.requests import GenerationRequest

_log = structlog.get_logger(__name__)


async def offending_lists(services: Services, guild_id: int, prompt: str) -> list[Offending]:
    """The owner's lists of words that a prompt names and that have a rule's word in them."""
    folder = services.settings.prompts.wildcards
    if folder is None:
        return []
    matchers = await services.gate.matchers(guild_id)
    return await asyncio.to_thread(WildcardFolder(folder).offending, prompt, matchers)


async def offer(services: Services, interaction: Interaction, refused: Refusal, prompt: str | None) -> ui.View | None:
    """Keep the refused request, and offer its buttons; None where there are none.

    Args:
        services: the bot's services.
        interaction: the command, press or form that was refused.
        refused: the rule and the request.
        prompt: the member's words; None if they typed none.
    """
    request, guild_id = refused.request, server_of(interaction)
    for found in await offending_lists(services, guild_id, prompt or ""):
        _log.warning(
            "a list of words has a word that a rule refuses",
            action="offending_list",
            list=found.name,
            whose=found.whose,
            rule=found.hit.rule.number,
        )
    # The form has one prompt, and what comes of it is a picture; so other kinds cannot be changed by it.
    can_change = type(request) is GenerationRequest and request.model_key in services.catalogue.models
    can_appeal = guild_id != 0
    if not can_change and not can_appeal:
        return None
    new = NewHit(
        guild_id=guild_id,
        user_id=interaction.user.id,
        whose=refused.whose,
        rule=refused.hit.rule.number,
        word=refused.hit.rule.word,
        part=refused.hit.part,
        how=tuple(way.name.casefold() for way in refused.hit.how),
        # Options in the words are fields of the form already. Words that stand for several requests are kept as typed.
        prompt=request.prompt if not prompt or request.prompt in prompt else prompt,
        request=request,
        locale=str(interaction.locale),
    )
    hit_id = await services.hits.add(new, datetime.now(UTC))
    return refusal.buttons(hit_id, can_change=can_change, can_appeal=can_appeal)
