"""Private answers, and the one place where an exception becomes a sentence in a chat."""

from typing import Final

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.errors import Refused, new_error_id
from bot.presenting.escaping import escape
from bot.presenting.texts import text

_ALREADY_ANSWERED: Final = 40060
_UNKNOWN_INTERACTION: Final = 10062
_MAX_PROMPT: Final = 1_500

_log = structlog.get_logger(__name__)


def refusal_text(refused: Refused, prompt: str | None = None) -> str:
    """The sentence of a refusal, with the member's prompt so that nothing must be typed again."""
    values = {name: _safe(name, value) for name, value in refused.values.items()}
    sentence = text(refused.key, **values)
    if not prompt:
        return sentence
    return f"{sentence}\n{text('your-prompt', prompt=escape(prompt, _MAX_PROMPT))}"


async def answer_privately(interaction: discord.Interaction[discord.Client], sentence: str) -> None:
    """Answer so that only the one who asked sees it, whether or not the interaction was acknowledged."""
    if interaction.response.is_done():
        await interaction.followup.send(sentence, ephemeral=True)
    else:
        await interaction.response.send_message(sentence, ephemeral=True)


async def answer_error(interaction: discord.Interaction[discord.Client], error: BaseException) -> None:
    """Say what happened. Only a refusal's own words are shown; anything else gets an id and goes to the log."""
    if isinstance(error, Refused):
        sentence = refusal_text(error, _prompt_of(interaction))
    elif isinstance(error, app_commands.CheckFailure):
        sentence = str(error)
    elif isinstance(error, discord.HTTPException) and error.code in (_ALREADY_ANSWERED, _UNKNOWN_INTERACTION):
        _log.warning("interaction lost", action="interaction_lost", code=error.code, interaction=interaction.id)
        return
    else:
        error_id = new_error_id()
        _log.error("unexpected error", action="unexpected", error_id=error_id, exc_info=error)
        sentence = text("error-unexpected", error_id=error_id)
    try:
        await answer_privately(interaction, sentence)
    except (discord.HTTPException, aiohttp.ClientError, ConnectionError, TimeoutError) as lost:
        _log.warning("answer lost", action="answer_lost", error=repr(lost), interaction=interaction.id)


def _prompt_of(interaction: discord.Interaction[discord.Client]) -> str | None:
    """What the member typed as prompt in the command, if it has one."""
    prompt = getattr(interaction.namespace, "prompt", None)
    return prompt if isinstance(prompt, str) else None


def _safe(name: str, value: str | int) -> str | int:
    """Escape what a member typed; timestamps are ours and must stay as they are."""
    if isinstance(value, int) or name in ("resets", "until"):
        return value
    return escape(value, _MAX_PROMPT)
