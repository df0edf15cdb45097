"""`/admin review`: the cases that moderators have not decided yet."""

from datetime import UTC, datetime
from typing import Any

from discord import app_commands, ui

from bot.calls.answers import Interaction
from bot.calls.repeating import Files, as_files
from bot.commands.admin.checks import guild_of
from bot.commands.translating import localized
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import case_card


def make_review(services: Services) -> app_commands.Command[Any, ..., None]:
    """The command."""

    @app_commands.command(name="review", description=localized("command-admin-review"))
    async def review(interaction: Interaction) -> None:
        await services.calls.defer(interaction, is_private=True, is_answered_later=True)
        view, files = await open_cases(services, guild_of(interaction))
        await answer_privately(interaction, view=view, files=as_files(files))

    return review


async def open_cases(services: Services, guild_id: int, note: str | None = None) -> tuple[ui.LayoutView, Files]:
    """The private list of a server's open cases, oldest first, below a sentence about the last decision; its files."""
    waiting = await services.cases.waiting(guild_id, case_card.MAX_SHOWN_CASES)
    now = datetime.now(UTC)
    cards = [await services.reviewing.card_of(case, now) for case in waiting.cases]
    return case_card.review(cards, waiting.count, note), [file for card in cards for file in card.files]
