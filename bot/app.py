"""The composition root: it builds the services, connects to Discord, runs, and shuts down in order."""

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import discord
import structlog
import yarl
from discord import gateway, http

from bot.calls.closing import sentence_of
from bot.calls.messages import Calls
from bot.client import EaselClient
from bot.interactions.services import Services
from bot.jobs.accepting import Accepting
from bot.jobs.content_check import ContentCheck
from bot.jobs.delivering.delivery import Delivery
from bot.jobs.delivering.last_words import LastWords
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.keeping import Keeping
from bot.jobs.preparing import Preparing
from bot.jobs.recovery import Recovery
from bot.jobs.storing import Storing
from bot.jobs.waiting import WaitingLine
from bot.pictures.inputs import InputPictures
from bot.pictures.picking import Picking
from bot.pictures.receiving import Receiving
from bot.process.connecting import bound_reconnects, log_in
from bot.process.folders import folder_mistakes
from bot.process.pulse import Pulse
from bot.provenance.asking import Asking
from bot.provenance.key import NoKey, load_key
from bot.provenance.signing import Signing
from bot.safety.gate import Gate
from bot.safety.hard_rule import shipped_rule
from bot.safety.words.files import BadRuleFile, read_rule_file
from bot.safety.words.rules import RuleSet
from bot.store.expansions import ExpansionRepository
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from bot.store.jobs import JobRepository
from bot.store.members.ledger import LedgerRepository
from bot.store.members.servers import ServerRepository
from bot.store.members.user_settings import UserSettingsRepository
from bot.store.members.words import WordRuleRepository
from bot.store.queue import QueueRepository
from bot.store.register import RegisterRepository
from bot.store.sqlite.database import Database
from bot.store.sqlite.timelines import write_mark
from bot.store.stars import StarRepository
from bot.store.statistics import StatisticsRepository
from bot.store.timings import TimingRepository
from config.catalogue import Catalogue
from config.loading import ConfigError
from config.reading import NotReadable
from config.settings import Settings
from pipeline.backends.base import Backend
from pipeline.backends.process import ProcessBackend
from pipeline.backends.starter import Starter
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Configure
from pipeline.protocol.wire.settings import Acceleration, EngineOptions, ImageOutput

if TYPE_CHECKING:  # the library is missing where c2pa has no wheel
    from provenance.keys import SigningKey

DRAIN_S: Final = 20.0
"""Seconds that a shutdown waits for running jobs. Service managers kill a process after thirty to ninety seconds."""
_HOUR_S: Final = 3_600.0

_log = structlog.get_logger(__name__)


def make_configure(settings: Settings, catalogue: Catalogue) -> Configure:
    """The first message to a worker."""
    pipeline = settings.pipeline
    cache = pipeline.cache_directory or settings.storage.directory / "models"
    return Configure(
        protocol_version=PROTOCOL_VERSION,
        device=pipeline.device,
        dtype=pipeline.dtype,
        threads=pipeline.threads,
        models=tuple(catalogue.models.values()),
        upscalers=tuple(catalogue.upscalers.values()),
        faces=tuple(catalogue.faces.values()),
        controls=tuple(catalogue.controls.values()),
        references=tuple(catalogue.references.values()),
        text_mask=catalogue.text_mask,
        preload=catalogue.default_key,
        acceleration=Acceleration(
            accelerator=pipeline.accelerator, channels_last=pipeline.channels_last, fuse_qkv=pipeline.fuse_qkv
        ),
        safety_checker=None if pipeline.safety_checker is None else str(pipeline.safety_checker.resolve()),
        lora_directory=None if pipeline.lora_directory is None else str(pipeline.lora_directory.resolve()),
        options=EngineOptions(
            preview_interval_s=pipeline.preview_interval_s,
            cache_directory=str(cache.resolve()),
            state_directory=str((settings.storage.directory / "worker").resolve()),
            max_running=pipeline.max_running,
            batching=pipeline.batching,
            idle_models=pipeline.idle_models,
            model_memory_mb=pipeline.model_memory_mb,
            output=ImageOutput(
                image_format=pipeline.image_format,
                quality=pipeline.image_quality,
                has_parameters=pipeline.metadata == "full",
            ),
        ),
    )


def owners_rules(settings: Settings) -> RuleSet:
    """The owner's rules of words.

    Raises:
        ConfigError: their file cannot be read.
    """
    if settings.safety.words is None:
        return RuleSet()
    try:
        return read_rule_file(settings.safety.words)
    except BadRuleFile as error:
        raise ConfigError(str(error)) from error


def make_starter(settings: Settings, *, is_lasting: bool) -> Starter | None:
    """The starter that forks workers. An own starter only pays off in a program that may need a second worker."""
    where = settings.pipeline.starter
    if isinstance(where, Path):
        return Starter(where)
    return Starter() if where == "own" and is_lasting else None


def point_discord_at(settings: Settings) -> None:
    """Point discord.py at another server than Discord. The playground and tests do this."""
    http.Route.BASE = settings.discord.api_base_url
    gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord.gateway_url)


@contextlib.asynccontextmanager
async def open_services(settings: Settings, catalogue: Catalogue, client: EaselClient) -> AsyncGenerator[Services]:
    """Build database, images, worker and all services; close them in reverse order."""
    key = _key(settings)
    database = await Database.open(settings.storage.database)
    starter = make_starter(settings, is_lasting=True)
    backend = ProcessBackend(configure=make_configure(settings, catalogue), starter=starter)
    closing = contextlib.AsyncExitStack()
    try:
        images, input_files = ImageStore(settings.storage.directory / "images"), ImageStore(settings.storage.inputs)
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


def _heed_files(catalogue: Catalogue, backend: Backend) -> None:
    """Offer only samplers and capabilities that fit the models' files, as the worker found them."""
    ready = backend.status.ready
    if ready is not None:
        catalogue.heed(ready)


def compose(
    settings: Settings,
    catalogue: Catalogue,
    client: EaselClient,
    *,
    database: Database,
    images: ImageStore,
    input_files: ImageStore,
    backend: Backend,
    key: "SigningKey | None" = None,
) -> Services:
    """Build the bot's services from their parts."""
    jobs, queue, timings = JobRepository(database), QueueRepository(database), TimingRepository(database)
    user_settings = UserSettingsRepository(database)
    inputs = InputPictures(files=input_files, inputs=InputRepository(database))
    backend.on_ready(partial(_heed_files, catalogue, backend))
    calls = Calls(client, client.watch)
    max_wait = timedelta(hours=settings.queue.max_wait_h)
    register = RegisterRepository(database)
    signing = Signing(
        key=key, is_required=settings.provenance.sign == "required", inputs=inputs, register=register, owner=calls.owner
    )
    storing = Storing(images=images, jobs=jobs, timings=timings, signing=signing, owner=calls.owner)
    servers, word_rules = ServerRepository(database), WordRuleRepository(database)
    gate = Gate(owners_rules(settings), word_rules.rules, shipped_rule())
    accepting = Accepting(
        jobs=jobs,
        timings=timings,
        quotas=settings.quotas,
        queue=settings.queue,
        catalogue=catalogue,
        backend=backend,
        storing=storing,
        gate=gate,
        servers=servers,
        trusted_roles=settings.safety.trusted_roles,
    )
    preparing = Preparing(backend=backend, timings=timings, default_key=catalogue.default_key)
    delivery = Delivery(
        calls=calls,
        jobs=jobs,
        preparing=preparing,
        images=images,
        catalogue=catalogue,
        accepting=accepting,
        user_settings=user_settings,
        signing=signing,
        last_words=LastWords(
            calls=calls, jobs=jobs, direct_message=settings.delivery.direct_message, max_wait=max_wait, signing=signing
        ),
    )
    dispatcher = Dispatcher(
        waiting_line=WaitingLine(calls=calls, queue=queue),
        jobs=jobs,
        queue=queue,
        backend=backend,
        storing=storing,
        inputs=inputs,
        delivery=delivery,
        preparing=preparing,
        recovery=Recovery(calls=calls, jobs=jobs, queue=queue, delivery=delivery),
        content_check=ContentCheck(
            is_possible=settings.pipeline.safety_checker is not None, where=settings.pipeline.check_content
        ),
        running_per_user=settings.quotas.running_per_user,
        job_timeout_s=settings.pipeline.job_timeout_s,
        max_wait=max_wait,
    )
    receiving = Receiving(calls=calls, inputs=inputs)
    return Services(
        settings=settings,
        database=database,
        catalogue=catalogue,
        calls=calls,
        jobs=jobs,
        queue=queue,
        ledger=LedgerRepository(database),
        servers=servers,
        statistics=StatisticsRepository(database),
        user_settings=user_settings,
        word_rules=word_rules,
        gate=gate,
        expansions=ExpansionRepository(database),
        accepting=accepting,
        storing=storing,
        dispatcher=dispatcher,
        keeping=Keeping(images=images, inputs=inputs, stars=StarRepository(database)),
        receiving=receiving,
        picking=Picking(receiving),
        signing=signing,
        register=register,
        asking=Asking(settings=settings, receiving=receiving, register=register),
        backend=backend,
    )


async def run_bot(settings: Settings, catalogue: Catalogue) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP.

    Raises:
        ConfigError: there is no token, Discord does not know it (any more), or Discord closed the connection for good.
    """
    token = _token(settings)
    point_discord_at(settings)
    bound_reconnects()
    client = EaselClient()
    async with open_services(settings, catalogue, client) as services:
        for sentence in folder_mistakes(settings):
            _log.warning(f"{sentence}.", action="folder")
        client.serve(services)
        stopping = asyncio.Event()
        _on_signals(stopping.set)
        await services.backend.start()
        logged_in = asyncio.Event()
        tasks = [
            asyncio.create_task(_connect(client, services, token, logged_in), name="discord"),
            asyncio.create_task(_dispatch(services, logged_in), name="dispatcher"),
            asyncio.create_task(Pulse(client, services).run(), name="pulse"),
            asyncio.create_task(
                _remove_old_images(services.keeping, settings.storage.keep_images_days), name="retention"
            ),
            asyncio.create_task(_wait_for(stopping), name="stop"),
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        _log.info("stopping", action="stopping")
        services.accepting.close()
        await services.dispatcher.drain(DRAIN_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
        for task in done:
            if (error := task.exception()) is not None:
                raise error


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


async def _dispatch(services: Services, logged_in: asyncio.Event) -> None:
    """Run the dispatcher after the login. Recovery asks Discord about old jobs first, so that none runs twice."""
    await logged_in.wait()
    await services.dispatcher.run()


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


def _on_signals(stop: Callable[[], None]) -> None:
    """Stop in order on Ctrl-C, a service manager's signal and the end of the terminal. Later signals have no effect."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` sets SIG_IGN
            loop.add_signal_handler(number, stop)


async def _remove_old_images(keeping: Keeping, keep_days: int) -> None:
    """Remove old images once an hour; `keep_days` 0 keeps all images of jobs."""
    while True:
        try:
            removed = await keeping.remove_old(keep_days)
        except (OSError, sqlite3.Error) as error:
            _log.error("old images not removed", action="retention", error=repr(error))
        else:
            if removed:
                _log.info("old images removed", action="retention", count=removed)
        await asyncio.sleep(_HOUR_S)
