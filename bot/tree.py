"""The command tree: it registers commands only after a change, and answers every error in one way."""

import hashlib
import json
from pathlib import Path
from typing import Final

import discord
import structlog
from discord import app_commands
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.interactions.replies import answer_error
from bot.presenting.texts import speak
from bot.words import clean_texts

_FINGERPRINT_FILE: Final = "commands.sha256"

_log = structlog.get_logger(__name__)


class EaselTree(app_commands.CommandTree[discord.Client]):
    """A command tree whose errors become sentences."""

    @override
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Allow every interaction. Set the member's language, and clean all texts so that a row can hold them."""
        speak(str(interaction.locale))
        interaction.data = clean_texts(interaction.data)
        return True

    @override
    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await answer_error(interaction, cause)


async def sync_if_changed(tree: EaselTree, directory: Path) -> bool:
    """Register the commands at Discord if they changed; returns whether they were registered.

    Discord allows 200 registrations a day, and each one hides the members' command list for a moment. A file holds the
    hash of the last registration. The commands' names at Discord show whether that registration is still there.
    """
    ours = tree.get_commands()
    translator = tree.translator
    if translator is None:
        payload = [command.to_dict(tree) for command in ours]
    else:
        payload = [await command.get_translated_payload(tree, translator) for command in ours]
    application_id = tree.client.application_id
    text = json.dumps([application_id, payload], sort_keys=True, default=str)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    file = directory / _FINGERPRINT_FILE
    if file.is_file() and file.read_bytes().strip() == fingerprint.encode():
        there = await tree.fetch_commands()
        if {command.name for command in there} == {command.name for command in ours}:
            return False
    commands = await tree.sync()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(fingerprint + "\n", encoding="utf-8")
    except OSError as error:
        _log.warning("registered again next time", action="unremembered", error=repr(error))
    _log.info("commands registered", action="synced", commands=[command.name for command in commands])
    return True
