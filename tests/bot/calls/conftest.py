"""A real client of discord.py on the local Discord, where everything can go wrong on demand."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import yarl
from discord import app_commands, gateway, http, ui
from typing_extensions import override

from bot.calls.messages import Calls
from bot.calls.watching import Watch
from bot.store.rows.jobs import Job, NewJob
from bot.store.sqlite.database import Database
from playground import Faults, LocalDiscord
from tests.bot.store.conftest import Store
from tests.bot.store.conftest import database as database  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414

Interaction = discord.Interaction[Any]
CALLBACK, TOKEN_ROUTE, BOT_ROUTE = r"/callback$", r"^/webhooks/", r"^/channels/\d+/messages"


class Asking(discord.Client):
    """A bot with one command, which hands its interaction to the test."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            guild_ready_timeout=0.05,
            max_ratelimit_timeout=60.0,
            http_trace=watch.trace(),
        )
        self.interactions: asyncio.Queue[Interaction] = asyncio.Queue()
        self.tree = app_commands.CommandTree(self)

    @override
    async def setup_hook(self) -> None:
        @self.tree.command(description="hands it over")
        async def ask(interaction: Interaction) -> None:  # pyright: ignore[reportUnusedFunction] - by discord.py
            await self.interactions.put(interaction)

        await self.tree.sync()


class Wire:
    """Both ends of the wire."""

    def __init__(self, local: LocalDiscord, client: Asking, watch: Watch, store: Store, make: Any) -> None:
        self.local = local
        self.client = client
        self.watch = watch
        self.calls = Calls(client, watch, call_timeout_s=1.5, answer_timeout_s=0.5, pause_s=0.01)
        self._store = store
        self._make: Callable[..., NewJob] = make
        self._asking: set[asyncio.Task[Any]] = set()

    @property
    def faults(self) -> Faults:
        return self.local.faults

    async def interaction(self) -> Interaction:
        """One that a member caused and nobody has answered."""
        asking = asyncio.create_task(self.local.member.slash(self.local.channel, "ask"))
        # What comes of it is read from the channel; a member who gets no answer is a case of its own.
        asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._asking.add(asking)
        return await self.client.interactions.get()

    async def job(
        self, interaction: Interaction, *, message_id: int | None, token_s: float = 900.0, **values: Any
    ) -> Job:
        """A job of this interaction, shown in that message."""
        assert interaction.channel_id is not None
        new = self._make(
            interaction.id,
            channel=interaction.channel_id,
            interaction_token=interaction.token,
            token_expires_at=datetime.now(UTC) + timedelta(seconds=token_s),
            **values,
        )
        job = await self._store.accept(new, now=datetime.now(UTC), is_seen=False)
        if message_id is not None:
            await self._store.jobs.record_message(job.job_id, message_id)
        found = await self._store.jobs.get(job.job_id)
        assert found is not None
        return found

    async def shown(self, *, token_s: float = 900.0, **values: Any) -> Job:
        """A job whose message says `first`."""
        interaction = await self.interaction()
        message_id = await self.calls.answer(interaction, view=saying("first"))
        return await self.job(interaction, message_id=message_id, token_s=token_s, **values)

    def texts(self) -> list[str]:
        """What the bot's messages in the channel say, the newest first."""
        return [
            "".join(part.get("content", "") for part in message["components"])
            for message in self.local.messages()
            if message["author"].get("bot")
        ]

    def sent(self, path: str) -> int:
        """Requests so far whose path holds this."""
        return sum(path in record.path for record in self.local.requests)


def saying(words: str) -> ui.LayoutView:
    """A message of ours."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay[ui.LayoutView](words))
    return view


@pytest.fixture
async def wire(database: Database, new_job: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Wire]:
    """A connected client."""
    watch = Watch()
    async with LocalDiscord() as local:
        monkeypatch.setattr(http.Route, "BASE", local.api_base_url)
        monkeypatch.setattr(gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(local.gateway_url))
        client = Asking(watch)
        running = asyncio.create_task(client.start(local.token))
        await local.wait_for_bot(30)
        yield Wire(local, client, watch, Store(database), new_job)
        await client.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
