"""The composition root: it builds the services, connects to Discord, runs, and shuts down in order."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Final

import discord
import structlog
import yarl
from discord import gateway, http

from bot.calls.closing import sentence_of
from bot.client import EaselClient, make_client
from bot.composing.services import compose
from bot.configure import check_worker_packages, make_backend
from bot.interactions.services import Services
from bot.process.connecting import bound_reconnects, log_in
from bot.process.folders import folder_mistakes
from bot.process.metrics import Metrics
from bot.process.owner_messages import OwnerMessages
from bot.process.pulse import Pulse
from bot.process.scaling import Scaling
from bot.process.signals import Signals
from bot.provenance.key import NoKey, load_key
from bot.safety.owners import hard_rule, owners_blocks, owners_people, owners_rules
from bot.store.images import ImageStore
from bot.store.sqlite.database import Database
from bot.store.sqlite.timelines import write_mark
from config.catalogue import Catalogue
from config.loading import ConfigError
from config.reading import NotReadable
from config.settings import Settings
from pipeline.protocol.program import easel_version

if TYPE_CHECKING:  # the library is missing where c2pa has no wheel
    from provenance.keys import SigningKey

DRAIN_S: Final = 20.0
"""Seconds that a shutdown waits for running jobs. Service managers kill a process after thirty to ninety seconds."""

_log = structlog.get_logger(__name__)


def point_discord_at(settings: Settings) -> None:
    """Point discord.py at another server than Discord. The playground and tests do this."""
    http.Route.BASE = settings.discord.api_base_url
    gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord.gateway_url)


@contextlib.asynccontextmanager
async def open_services(settings: Settings, catalogue: Catalogue, client: EaselClient) -> AsyncGenerator[Services]:
    """Build database, images, worker and all services; close them in reverse order."""
    key = _key(settings)
    database = await Database.open(settings.storage.database)
    backend = make_backend(settings, catalogue)
    closing = contextlib.AsyncExitStack()
    try:
        images, input_files = ImageStore(settings.storage.images), ImageStore(settings.storage.inputs)
        services = compose(
            settings,
            catalogue,
            client,
            database=database,
            images=images,
            input_files=input_files,
            backend=backend,
            key=key,
        )
        closing.push_async_callback(services.signing.close)
        await services.signing.begin()
        await services.sweeping.begin()
        yield services
    finally:
        await closing.aclose()
        await backend.close()
        with contextlib.suppress(OSError, sqlite3.Error):  # the mark of the last heartbeat is enough then
            write_mark(settings.storage.database, await database.used_numbers())
        await database.close()


def _key(settings: Settings) -> "SigningKey | None":
    """The key that signs pictures; None if they go out unsigned, which the log says.

    Raises:
        ConfigError: pictures must be signed, and cannot be.
    """
    try:
        return load_key(settings)
    except NoKey as error:
        if settings.provenance.sign == "required":
            raise ConfigError(f"{error} (provenance.sign is required.)") from error
        (_log.warning if error.is_wrong else _log.info)(str(error), action="unsigned")
        return None


def check_files(settings: Settings) -> None:
    """Read the files that the settings name, as a start does.

    Raises:
        ConfigError: one of them is wrong.
    """
    _token(settings)
    _key(settings)
    owners_rules(settings)
    owners_blocks(settings)
    owners_people(settings)
    hard_rule(settings)


async def run_bot(settings: Settings, catalogue: Catalogue, check: Callable[[], object]) -> bool:
    """Run until a signal ends it; True if it shall start again with its files as they are then.

    Args:
        settings: the settings.
        catalogue: the models.
        check: reads all files again, before the bot ends for a new start; it raises `ConfigError` for a mistake.

    Raises:
        ConfigError: nothing can draw, there is no token, Discord does not know it (any more), or Discord closed the
            connection for good.
    """
    token = _token(settings)
    if not settings.hosts.draw_all:
        check_worker_packages()
    _log.info("starting", action="starting", version=easel_version())
    point_discord_at(settings)
    bound_reconnects()
    client = make_client(settings.discord.shards)
    async with open_services(settings, catalogue, client) as services:
        for sentence in folder_mistakes(settings):
            _log.warning(f"{sentence}.", action="folder")
        client.serve(services)
        signals = Signals(check)
        signals.listen()
        await services.backend.start()
        works = _works(client, services, token) | {"stop": _wait_for(signals.stopping)}
        tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        _log.info("stopping", action="stopping")
        signals.announce_end()
        services.accepting.close()
        await services.dispatcher.drain(DRAIN_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
        for task in done:
            if (error := task.exception()) is not None:
                raise error
    return signals.starts_anew


def _works(client: EaselClient, services: Services, token: str) -> dict[str, Coroutine[object, object, None]]:
    """What runs until the bot ends, by the names of the tasks."""
    logged_in = asyncio.Event()
    pulse = Pulse(client, services)
    return {
        "discord": _connect(client, services, token, logged_in),
        "dispatcher": _after(logged_in, services.dispatcher.run),
        "pulse": pulse.run(),
        "metrics": Metrics(client, services, pulse).run(),
        "owner": OwnerMessages(services.calls.owner, lambda: pulse.troubles).run(),
        "backups": services.backups.run(),
        "scaling": Scaling(services).run(),
        "retention": _after(logged_in, services.sweeping.run),
        "sheets": _after(logged_in, services.sheets.run),
        "showcase": _after(logged_in, services.showcase.run),
    }


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def _connect(client: EaselClient, services: Services, token: str, logged_in: asyncio.Event) -> None:
    """Log in, recover the jobs of the last run, then stay connected."""
    await log_in(client, token)
    await services.dispatcher.recover()
    logged_in.set()
    try:
        await client.connect()
    except (discord.ConnectionClosed, discord.PrivilegedIntentsRequired) as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        raise ConfigError(sentence) from error


async def _after(logged_in: asyncio.Event, run: Callable[[], Awaitable[None]]) -> None:
    """Begin after the login. Recovery asks Discord about old jobs first, so that none runs twice."""
    await logged_in.wait()
    await run()


def _token(settings: Settings) -> str:
    try:
        token = settings.discord.read_token()
    except NotReadable as error:
        raise ConfigError(f"The bot's token {error}.") from error
    if token is None:
        raise ConfigError(
            "There is no bot token; set EASEL_DISCORD__TOKEN or EASEL_DISCORD__TOKEN_FILE, or try "
            "`easel playground`, which needs none."
        )
    return token
