"""The Discord client. It needs no privileged intents, and its messages ping nobody by default."""

import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import discord
import structlog
from discord.app_commands import AppCommandContext, AppInstallationType
from discord.gateway import DiscordWebSocket
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.calls.channels import let_in_unknown_channels
from bot.calls.watching import Watch
from bot.commands import add_commands
from bot.commands.translating import Translator
from bot.interactions.services import Services
from bot.privacy.retention import Retention
from bot.tree import EaselTree, sync_if_changed
from bot.views import add_buttons
from bot.views.forms import answer_form, is_form

MAX_RATE_LIMIT_WAIT_S = 60.0
"""Longest wait for a rate limit in seconds. A longer one raises, so that a job ends with a sentence, not in an hour."""

_log = structlog.get_logger(__name__)


class EaselClient(discord.Client):
    """A client with the services that its commands and buttons use."""

    def __init__(self, **options: Any) -> None:
        # Easel has no voice. Without this, each start warns about missing voice packages.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        self.watch = Watch()
        self.away_since: float | None = time.time()
        """Time of the lost connection to Discord, in seconds since 1970; None while it is connected."""
        super().__init__(
            http_trace=self.watch.trace(),
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=MAX_RATE_LIMIT_WAIT_S,
            # Members and messages are never looked up, since an interaction carries all that Easel needs.
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=0.5,
            **options,
        )
        let_in_unknown_channels(self)
        self.tree = EaselTree(self)
        self._services: Services | None = None

    @property
    def services(self) -> Services:
        """The services that `serve` set.

        Raises:
            RuntimeError: `serve` was not called.
        """
        if self._services is None:
            raise RuntimeError("The client was used before its services were set.")
        return self._services

    def serve(self, services: Services) -> None:
        """Set the services and register commands and buttons. Call it before the client starts."""
        self._services = services
        is_personal = services.settings.discord.direct_messages
        self.tree.allowed_contexts = AppCommandContext(guild=True, dm_channel=is_personal, private_channel=is_personal)
        self.tree.allowed_installs = AppInstallationType(guild=True, user=is_personal)
        add_commands(self.tree, services)
        add_buttons(self)

    @override
    async def setup_hook(self) -> None:
        await self.tree.set_translator(Translator())
        await sync_if_changed(self.tree, self.services.settings.storage.directory)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Answer forms. The library itself dispatches commands and presses."""
        if is_form(interaction):
            await answer_form(self.services, interaction)

    async def on_disconnect(self) -> None:
        """Remember the time of the lost connection."""
        self.away_since = self.away_since or _heard_at(self.ws)

    async def on_resumed(self) -> None:
        """Note that the session was resumed."""
        self.away_since = None

    async def on_ready(self) -> None:
        """Note the connection, log the bot's name, and wake the dispatcher."""
        self.away_since = None
        _log.info("connected to Discord", action="connected", user=str(self.user), guilds=len(self.guilds))
        self.services.dispatcher.wake()
        await self._about_servers(lambda retention, own, now: retention.compare(self._present(), own, now))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that Easel left a server. An outage of Discord is no leaving; the library tells it apart."""
        await self._about_servers(lambda retention, own, now: retention.left(guild.id, own, now))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note that Easel is in a server, perhaps again."""
        await self._about_servers(lambda retention, _, __: retention.came_back(guild.id))

    def _present(self) -> frozenset[int]:
        return frozenset(guild.id for guild in self.guilds)

    async def _about_servers(self, work: Callable[[Retention, int, datetime], Awaitable[None]]) -> None:
        """Note something about servers. If the disk refuses, the next connection notes it."""
        try:
            await work(self.services.retention, 0 if self.user is None else self.user.id, datetime.now(UTC))
        except sqlite3.Error as error:
            _log.error("servers not noted", action="servers_not_noted", error=repr(error))


class ShardedClient(EaselClient, discord.AutoShardedClient):
    """The same client with several connections (shards), each for a part of the servers.

    Args:
        shard_count: number of connections; None for as many as Discord recommends.
    """

    def __init__(self, shard_count: int | None) -> None:
        super().__init__(shard_count=shard_count)
        self._away: dict[int, float] = {}
        """Time of each shard's lost connection, in seconds since 1970; without those that are connected."""

    @override
    async def on_disconnect(self) -> None:
        """Do nothing: the event of the shard follows."""

    @override
    async def on_resumed(self) -> None:
        """Do nothing: the event of the shard follows."""

    @override
    async def on_ready(self) -> None:
        """Note that all shards were connected."""
        await super().on_ready()
        self._look()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Remember the time of a lost connection."""
        shard = self.get_shard(shard_id)
        socket = None if shard is None else shard._parent.ws  # noqa: SLF001 - the library offers it nowhere else
        self._away.setdefault(shard_id, _heard_at(socket))
        self._look()

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that a shard's session was resumed."""
        self._away.pop(shard_id, None)
        self._look()

    async def on_shard_ready(self, shard_id: int) -> None:
        """Note that a shard has a new session. At the start, `on_ready` follows when all have one."""
        if self.is_ready():
            await self.on_shard_resumed(shard_id)

    def _look(self) -> None:
        self.away_since = min(self._away.values(), default=None)


def _heard_at(socket: DiscordWebSocket | None) -> float:
    """Time of the last word of Discord, in seconds since 1970; now if that is not known.

    Of a dead network, the library learns only at its second heartbeat, after more than a minute.
    """
    heart = None if socket is None else socket._keep_alive  # noqa: SLF001 - the library offers it nowhere else
    silent_s = 0.0 if heart is None else time.perf_counter() - heart._last_recv  # noqa: SLF001 - as above
    return time.time() - silent_s


def make_client(shards: int) -> EaselClient:
    """The client for this number of connections; 0 for as many as Discord recommends."""
    return EaselClient() if shards == 1 else ShardedClient(shards or None)
