"""Private answers, and the one place that turns an exception into a sentence for a chat."""

import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import discord
import structlog
from discord import app_commands, ui

from bot.calls.answers import Interaction
from bot.calls.errors import CallFailed, InteractionLost, WordsBlocked
from bot.errors import Refused, new_error_id
from bot.interactions.refused_words import offer
from bot.interactions.services import Services, services_of
from bot.presenting.escaping import shorten
from bot.presenting.refusal import MAX_MESSAGE, sentence_of
from bot.presenting.texts import speak, text
from bot.safety.gate import RuleRefused

_log = structlog.get_logger(__name__)


async def answer_privately(
    interaction: Interaction,
    sentence: str | None = None,
    *,
    view: ui.LayoutView | ui.View | None = None,
    files: Sequence[discord.File] = (),
) -> None:
    """Answer so that only the member sees it, whether the interaction was acknowledged or not.

    Args:
        interaction: a command, a press, or a form.
        sentence: the text; it is cut to Discord's limit.
        view: a layout instead of a sentence, or buttons below one.
        files: attachments of the answer.

    Raises:
        CallFailed: the answer did not arrive, or this is unknown.
    """
    message: dict[str, Any] = {"files": list(files)} if files else {}
    if sentence is not None:
        message["content"] = shorten(sentence, MAX_MESSAGE)
    if view is not None:
        message["view"] = view
    await services_of(interaction).calls.answer_privately(interaction, **message)


@contextlib.asynccontextmanager
async def answered(interaction: Interaction, *, prompt: str | None = None) -> AsyncGenerator[Services]:
    """The services for a press or a form, spoken to in its member's language. Whatever goes wrong is answered.

    Args:
        interaction: the press or the form.
        prompt: the prompt in a form.
    """
    speak(str(interaction.locale))
    try:
        yield services_of(interaction)
    except Exception as error:  # noqa: BLE001 - each press needs an answer; the log gets the traceback
        await answer_error(interaction, error, prompt=prompt)


async def answer_error(interaction: Interaction, error: BaseException, *, prompt: str | None = None) -> None:
    """Answer an error with a sentence. An unexpected error gets an id, and its traceback goes to the log only.

    Args:
        interaction: a command, a press, or a form.
        error: the exception.
        prompt: the prompt in a form; the prompt of a command is known.
    """
    view = None
    if isinstance(error, Refused):
        prompt = prompt or _prompt_of(interaction)
        sentence = sentence_of(error, prompt)
        view = await _offered(interaction, error, prompt)
    elif isinstance(error, app_commands.CheckFailure):
        sentence = str(error)
    elif isinstance(error, InteractionLost):
        _log.warning("interaction lost", action="interaction_lost", code=error.code, interaction=interaction.id)
        return
    elif isinstance(error, WordsBlocked):
        sentence = text("refused-words-blocked")
    elif isinstance(error, CallFailed):
        _log.warning("Discord took no answer", action="not_answered", error=repr(error), interaction=interaction.id)
        sentence = text("error-discord")
    else:
        error_id = new_error_id()
        _log.error("unexpected error", action="unexpected", error_id=error_id, exc_info=error)
        sentence = text("error-unexpected", error_id=error_id)
    try:
        try:
            await answer_privately(interaction, sentence, view=view)
        except WordsBlocked:
            # A refusal's sentence repeats the prompt.
            await answer_privately(
                interaction,
                sentence_of(error) if isinstance(error, Refused) else text("refused-words-blocked"),
                view=view,
            )
    except CallFailed as lost:
        _log.warning("answer lost", action="answer_lost", error=repr(lost), interaction=interaction.id)


async def _offered(interaction: Interaction, refused: Refused, prompt: str | None) -> ui.View | None:
    """The buttons below a refusal. Without them, the refusal is told all the same."""
    if not isinstance(refused, RuleRefused) or refused.refusal is None:
        return None
    try:
        return await offer(services_of(interaction), interaction, refused.refusal, prompt)
    except sqlite3.Error as error:
        _log.warning("refusal not kept", action="hit_lost", error=repr(error), interaction=interaction.id)
        return None


def _prompt_of(interaction: Interaction) -> str | None:
    """The prompt in a command's options; None if it has none."""
    prompt = getattr(interaction.namespace, "prompt", None)
    return prompt if isinstance(prompt, str) else None
