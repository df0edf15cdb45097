"""Direct messages to the bot's owner about faults that only the owner can mend."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import discord
import structlog

from bot.calls.errors import CallFailed
from bot.calls.repeating import Repeater
from bot.presenting.texts import LANGUAGES, spoken, text

AGAIN_AFTER: Final = timedelta(days=1)
"""An event that happens again is reported again after this time."""

_log = structlog.get_logger(__name__)


class Owner:
    """The bot's owner at Discord, and the latest reports to them. The log holds the same facts."""

    def __init__(self, client: discord.Client, repeat: Repeater) -> None:
        self._client = client
        self._repeat = repeat
        self._sent_at: dict[str, datetime] = {}
        self.is_notified = True
        """Whether the owner wants messages."""
        self.sending: set[asyncio.Task[None]] = set()
        """Messages being sent."""

    def notify(self, key: str) -> None:
        """Send the catalogue's sentence `key` about an event in the background, at most once a day."""
        now = datetime.now(UTC)
        sent_at = self._sent_at.get(key)
        if sent_at is not None and now - sent_at < AGAIN_AFTER:
            return
        self._sent_at[key] = now
        task = asyncio.create_task(self._send(key), name=f"notify {key}")
        self.sending.add(task)
        task.add_done_callback(self.sending.discard)

    async def write(self, sentence: str) -> discord.Message | None:
        """Send a message; None if the owner wants none, or is not known yet.

        Raises:
            CallFailed: it did not arrive, or this is unknown.
        """
        about = self._client.application
        if about is None or not self.is_notified:
            return None
        owner_id = about.owner.id if about.team is None else (about.team.owner_id or about.owner.id)
        channel = await self._repeat(lambda: self._client.create_dm(discord.Object(owner_id)))
        return await self._repeat(lambda: channel.send(sentence), tries=1)

    async def rewrite(self, message: discord.Message, sentence: str) -> None:
        """Change a message that `write` sent.

        Raises:
            CallFailed: it did not arrive, or this is unknown.
        """
        await self._repeat(lambda: message.edit(content=sentence))

    async def _send(self, key: str) -> None:
        with spoken(LANGUAGES[0]):
            sentence = text(key)
        try:
            await self.write(sentence)
        except CallFailed as error:
            _log.info("owner not notified", action="owner_not_notified", key=key, error=repr(error))
