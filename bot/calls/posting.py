"""Messages that belong to no job: cards in a moderators' channel, and words to a person."""

import discord
import structlog
from discord import ui

from bot.calls.errors import CallFailed
from bot.calls.repeating import Files, Repeater, as_files

_log = structlog.get_logger(__name__)


class Posting:
    """Posts with the bot's own token."""

    def __init__(self, client: discord.Client, repeat: Repeater) -> None:
        self._client = client
        self._repeat = repeat

    async def post(self, channel_id: int, *, view: ui.LayoutView, nonce: str, files: Files = ()) -> int:
        """Post a message with files; returns its id. Several tries with one nonce post one message.

        Raises:
            CallFailed: it did not arrive, or this is unknown.
        """
        channel = self._client.get_partial_messageable(channel_id)
        message = await self._repeat(
            lambda: channel.send(
                view=view, files=as_files(files), nonce=nonce, allowed_mentions=discord.AllowedMentions.none()
            ),
            timeout_s=self._repeat.time_for(files),
        )
        return message.id

    async def edit(self, channel_id: int, message_id: int, view: ui.LayoutView, *, keeps_files: bool) -> None:
        """Replace a message, with or without its files.

        Raises:
            CallFailed: it is as it was, or this is unknown.
        """
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        files = discord.utils.MISSING if keeps_files else []
        await self._repeat(
            lambda: message.edit(view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none())
        )

    def locale_of(self, guild_id: int) -> str:
        """The language of a server; empty if it is not known."""
        guild = self._client.get_guild(guild_id)
        return "" if guild is None else str(guild.preferred_locale)

    async def tell(self, user_id: int, sentence: str) -> bool:
        """Tell a person something in a direct message; returns whether it arrived."""
        try:
            channel = await self._repeat(lambda: self._client.create_dm(discord.Object(user_id)))
            await self._repeat(lambda: channel.send(sentence), tries=1)
        except CallFailed as error:
            _log.info("direct message not sent", action="not_notified", user_id=user_id, error=repr(error))
            return False
        return True
