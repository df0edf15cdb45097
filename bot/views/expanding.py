"""The two buttons of the question before several jobs. Only its member sees them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_job import Unseen, server_of
from bot.interactions.start_jobs import start_each
from bot.interactions.start_sheet import start_sheet
from bot.presenting.custom_ids import Press
from bot.presenting.jobs import expansion_message, sheet_message
from bot.store.expansions import Expansion
from bot.store.rows.sheets import Plan

LIFETIME: Final = timedelta(hours=1)
"""Time in which a question can be confirmed."""


async def start(services: Services, interaction: Interaction, press: Press) -> None:
    """Start the expansion's jobs at the shown price, as many as may start."""
    expansion = await find_open(services, interaction, press)
    for request in expansion.requests:
        if request.model_key not in services.catalogue.models:
            raise Refused("refused-model-unavailable", model=request.model_key)
    if sum(services.accepting.price(request) for request in expansion.requests) != expansion.price:
        raise Refused("refused-expansion-price")
    await services.calls.defer(interaction)
    if not await services.expansions.claim(expansion.expansion_id, datetime.now(UTC)):
        raise Refused("refused-expansion-started")
    if expansion.plan is not None:
        await _start_sheet(services, interaction, expansion, expansion.plan)
        return
    count, refused = await start_each(services, interaction, expansion)
    if not count and refused is not None and not isinstance(refused, Unseen):
        await services.expansions.release(expansion.expansion_id)
        raise refused
    await services.calls.edit_answer(
        interaction, expansion_message.started(expansion, count, refused, services.catalogue.models)
    )


async def _start_sheet(services: Services, interaction: Interaction, expansion: Expansion, plan: Plan) -> None:
    try:
        await start_sheet(services, interaction, expansion, plan)
    except Refused:
        await services.expansions.release(expansion.expansion_id)
        raise
    await services.calls.edit_answer(interaction, sheet_message.started(plan))


async def dismiss(services: Services, interaction: Interaction, press: Press) -> None:
    """Dismiss the expansion: none of its jobs starts."""
    expansion = await _find(services, interaction, press)
    await services.calls.defer(interaction)
    if not await services.expansions.dismiss(expansion.expansion_id):
        raise Refused("refused-expansion-started")
    await services.calls.edit_answer(interaction, expansion_message.dismissed())


async def find_open(services: Services, interaction: Interaction, press: Press) -> Expansion:
    """The expansion of a pressed question.

    Raises:
        Refused: its jobs were started, or it is too old.
    """
    expansion = await _find(services, interaction, press)
    if expansion.started_at is not None:
        raise Refused("refused-expansion-started")
    if datetime.now(UTC) - expansion.created_at > LIFETIME:
        raise Refused("refused-expansion-over")
    return expansion


async def _find(services: Services, interaction: Interaction, press: Press) -> Expansion:
    expansion = await services.expansions.get(press.job_id)
    here = (server_of(interaction), interaction.channel_id, interaction.user.id)
    # The question is private, so only a forged id names another member's expansion. The answer reveals nothing.
    if expansion is None or (expansion.guild_id, expansion.channel_id, expansion.user_id) != here:
        raise Refused("refused-expansion-over")
    return expansion
