"""Telling the bot's owner, in a direct message, what only they can mend."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import discord
import structlog

from bot.calls.errors import CallFailed
from bot.calls.repeating import Repeater
from bot.presenting.texts import LANGUAGES, spoken, text

AGAIN_AFTER: Final = timedelta(days=1)
"""What still lasts by then, or came back, is told once more."""

_log = structlog.get_logger(__name__)


class Owner:
    """Who owns the bot at Discord, and what they were told of late. The log has always said the same."""

    def __init__(self, client: discord.Client, repeat: Repeater) -> None:
        self._client = client
        self._repeat = repeat
        self._told: dict[str, datetime] = {}
        self.telling: set[asyncio.Task[None]] = set()
        """Messages on their way."""

    def tell(self, key: str) -> None:
        """Send a sentence of the catalogue without waiting for it, once a day however often its cause is met."""
        now = datetime.now(UTC)
        told_at = self._told.get(key)
        if told_at is not None and now - told_at < AGAIN_AFTER:
            return
        self._told[key] = now
        task = asyncio.create_task(self._send(key), name=f"tell {key}")
        self.telling.add(task)
        task.add_done_callback(self.telling.discard)

    async def _send(self, key: str) -> None:
        about = self._client.application
        if about is None:
            return
        owner_id = about.owner.id if about.team is None else (about.team.owner_id or about.owner.id)
        with spoken(LANGUAGES[0]):
            sentence = text(key)
        try:
            channel = await self._repeat(lambda: self._client.create_dm(discord.Object(owner_id)))
            await self._repeat(lambda: channel.send(sentence), tries=1)
        except CallFailed as error:
            _log.info("owner not told", action="owner_not_told", key=key, error=repr(error))
