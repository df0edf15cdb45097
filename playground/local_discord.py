"""A local Discord for one bot in another process.

The playground shows it in the browser, and the tests of the whole project use it. The
bot is an unmodified discord.py client with another address. `playground.bridge` holds
the model of Discord behind it.
"""

# `__aenter__` creates all attributes: the addresses in them contain the port, which is
# known only once it is open.
# pyright: reportUninitializedInstanceVariable=false

from __future__ import annotations

import errno
import secrets
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from playground.bridge import LivePage, LocalBackend, LocalEnv, SetupError
from playground.changes import Changes
from playground.faults import Faults
from playground.gateway import Gateway
from playground.people import populate
from playground.rest import API_PREFIX, Rest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from playground.bridge import ChannelHandle, GuildHandle, InteractionResult, MemberActor, Person
    from playground.rest import RequestRecord

HOST = "127.0.0.1"


class PortTaken(OSError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"Port {port} is in use by another program: choose another with --port (0 takes any free one)."
        )

    def __str__(self) -> str:
        """Return the sentence alone, without the number that OSError adds."""
        return str(self.args[0])


class LocalDiscord:
    """An async context manager that serves REST, gateway and CDN on one local port.

    Start a bot with `token`, `api_base_url` and `gateway_url`, and wait for it with
    `wait_for_bot`. Then act as `member`, `friend` or `admin`, and read the results with
    `messages` and `wait_for_message`. The admin may manage the server and messages.
    """

    api_base_url: str
    gateway_url: str
    token: str
    guild: GuildHandle
    channel: ChannelHandle
    lounge: ChannelHandle
    member: Person
    friend: Person
    admin: Person
    faults: Faults

    def __init__(self, *, port: int = 0, interaction_deadline_s: float = 3.0, token_lifetime_s: float = 900.0) -> None:
        self._port = port
        self._interaction_deadline_s = interaction_deadline_s
        self._token_lifetime_s = token_lifetime_s
        self._page: LivePage | None = None
        self.token = f"local-{secrets.token_hex(16)}"

    async def __aenter__(self) -> Self:
        """Open the port and create the world behind it."""
        listener = listen(self._port)
        self._port = int(listener.getsockname()[1])
        self.api_base_url = f"http://{HOST}:{self._port}{API_PREFIX}"
        self.gateway_url = f"ws://{HOST}:{self._port}/gateway"
        self._create_world()
        self._runner = web.AppRunner(
            self._rest.application(self._gateway.handle), access_log=None, shutdown_timeout=1.0
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        return self

    def _create_world(self) -> None:
        self._changes = Changes()
        self._backend = LocalBackend(
            cdn_base_url=f"http://{HOST}:{self._port}/cdn",
            interaction_deadline_s=self._interaction_deadline_s,
            token_lifetime_s=self._token_lifetime_s,
            on_change=self._changes.ring,
        )
        self._env = LocalEnv(self._backend, self._changes)
        cast = populate(self._env)
        self.guild, self.channel, self.lounge = cast.guild, cast.studio, cast.lounge
        self.member, self.friend, self.admin = cast.member, cast.friend, cast.admin
        self._backend.owner_id = self.admin.id
        self._gateway = Gateway(self._backend, token=self.token, url=self.gateway_url, on_change=self._changes.ring)
        self.faults = Faults(self._gateway)
        self._rest = Rest(
            self._backend,
            token=self.token,
            gateway_url=self.gateway_url,
            faults=self.faults,
            on_change=self._changes.ring,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the page, end the bot's connection and free the port."""
        if self._page is not None:
            await self._page.close()
        self._gateway.close()
        await self._runner.cleanup()

    @property
    def attachment_size_limit(self) -> int:
        """Most bytes of one uploaded file. Interactions state this limit, and uploads must keep it."""
        return self._backend.attachment_size_limit

    @attachment_size_limit.setter
    def attachment_size_limit(self, value: int) -> None:
        self._backend.attachment_size_limit = value

    # Records

    @property
    def requests(self) -> list[RequestRecord]:
        """The bot's latest REST requests, in the order of their answers."""
        return list(self._rest.requests)

    @property
    def gaps(self) -> list[str]:
        """Requests that SimCord could not answer. Each got a 400 and was logged."""
        return list(self._rest.gaps)

    def acknowledged_in_s(self, result: InteractionResult) -> float | None:
        """Return the seconds from an interaction's dispatch to the bot's callback."""
        interaction_id = result._interaction.id  # noqa: SLF001 - SimCord's result does not state it otherwise
        sent_at = self._backend.sent_at[interaction_id]
        for request in self._rest.requests:
            if request.path.startswith(f"/interactions/{interaction_id}/") and request.status in (200, 204):
                return request.received_at - sent_at
        return None

    def messages(
        self, *, viewer: MemberActor | None = None, channel: ChannelHandle | None = None
    ) -> list[dict[str, Any]]:
        """Return message payloads as the viewer's client shows them, newest first.

        Without a viewer these are the messages that everybody sees; with one, also that
        person's ephemeral messages. The channel of a direct message is
        `local.member.user.dm_channel`.
        """
        channel_id = (channel or self.channel).id
        return self._backend.visible_messages(channel_id, None if viewer is None else viewer.id)

    # Waiting

    @property
    def is_bot_ready(self) -> bool:
        """Whether a bot is connected and has registered its commands."""
        return self._gateway.is_connected and any(self._backend.commands.values())

    async def wait_for_bot(self, timeout_s: float = 30.0) -> None:
        """Wait until the bot is connected and has registered its commands."""
        if not await self._changes.until(lambda: self.is_bot_ready, timeout_s):
            missing = "registered no commands" if self._gateway.is_connected else "did not connect"
            raise TimeoutError(f"the bot {missing} within {timeout_s:g} s")

    async def wait_for_message(
        self,
        predicate: Callable[[dict[str, Any]], bool],
        timeout_s: float = 60.0,
        *,
        viewer: MemberActor | None = None,
        channel: ChannelHandle | None = None,
    ) -> dict[str, Any]:
        """Wait for a message that satisfies the predicate; return the newest one."""

        def look() -> dict[str, Any] | None:
            shown = self.messages(viewer=viewer, channel=channel)
            return next((message for message in shown if predicate(message)), None)

        found = await self._changes.until(look, timeout_s)
        if found is None:
            shown = self.messages(viewer=viewer, channel=channel)
            raise TimeoutError(f"no such message within {timeout_s:g} s; the channel shows {shown!r:.4000}")
        return found

    async def fetch_cdn(self, url: str) -> bytes:
        """Download a file from the address in a message, as a client does."""
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            response.raise_for_status()
            return await response.read()

    # The page

    async def open_page(self, *, port: int = 0) -> str:
        """Serve the channel as a web page and return its address. The address is a secret: it allows actions."""
        viewers = (self.member, self.friend, self.admin)
        page = LivePage(self._env, self.channel, viewers, changes=self._changes, port=port)
        try:
            self._page = await page.__aenter__()
        except SetupError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
                raise PortTaken(port) from error
            raise
        return page.url

    async def wait_page_closed(self) -> None:
        """Wait until somebody ends the session on the page."""
        if self._page is None:
            raise RuntimeError("open_page first")
        await self._page.wait_closed()

    async def post_notice(self, name: str, text: str, *, channel: ChannelHandle | None = None) -> None:
        """Post a message by a webhook, which is neither a person nor the bot."""
        await self.guild.create_webhook(channel or self.channel, name).send(text)


def listen(port: int) -> socket.socket:
    """Open the port first, since all addresses contain its number."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from error
        raise
