"""Messages that are not a job's own: cards in a moderators' channel, the showcase, and words to a person."""

from collections.abc import Callable
from typing import Final

import discord
import msgspec
import structlog
from discord import ui

from bot.calls.channels import is_age_restricted
from bot.calls.errors import CallFailed
from bot.calls.repeating import Files, Repeater, as_files

_log = structlog.get_logger(__name__)

_SEARCHED: Final = 100
"""Messages of a channel that are looked through, the newest first."""


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was posted, and the names of its files."""

    message_id: int
    file_names: tuple[str, ...]


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

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete a message.

        Raises:
            CallFailed: it is gone already, or still there, or this is unknown.
        """
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        await self._repeat(message.delete)

    async def find(self, channel_id: int, is_wanted: Callable[[str], bool]) -> Posted | None:
        """The newest of our messages in a channel with a file of a wanted name; None if there is none.

        Raises:
            CallFailed: Discord gave no information.
        """
        channel = self._client.get_partial_messageable(channel_id)

        async def look() -> list[discord.Message]:
            return [message async for message in channel.history(limit=_SEARCHED)]

        own_id = None if self._client.user is None else self._client.user.id
        for message in await self._repeat(look):
            names = tuple(file.filename for file in message.attachments)
            if message.author.id == own_id and any(map(is_wanted, names)):
                return Posted(message_id=message.id, file_names=names)
        return None

    def is_age_restricted(self, channel_id: int) -> bool:
        """Whether Discord restricts a channel to adults."""
        return is_age_restricted(self._client.get_channel(channel_id))

    def is_open(self, channel_id: int) -> bool:
        """Whether every member of the server sees a channel; False if that is not known."""
        channel = self._client.get_channel(channel_id)
        if isinstance(channel, discord.Thread):
            if channel.is_private() or channel.parent is None:
                return False
            channel = channel.parent
        if not isinstance(channel, discord.abc.GuildChannel):
            return False
        return channel.permissions_for(channel.guild.default_role).view_channel

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
