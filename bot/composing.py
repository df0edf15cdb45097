"""Builds the bot's services from their parts."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.calls.messages import Calls
from bot.client import EaselClient
from bot.interactions.services import Services
from bot.jobs.accepting import Accepting
from bot.jobs.delivering.delivery import Delivery
from bot.jobs.delivering.last_words import LastWords
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.image_checking import ImageChecking, InputChecking
from bot.jobs.judging import Judging
from bot.jobs.keeping import Keeping
from bot.jobs.preparing import Preparing
from bot.jobs.recovery import Recovery
from bot.jobs.reviewing import Reviewing
from bot.jobs.storing import Storing
from bot.jobs.waiting import WaitingLine
from bot.pictures.inputs import InputPictures
from bot.pictures.picking import Picking
from bot.pictures.receiving import Receiving
from bot.privacy.ending_jobs import JobEnding
from bot.privacy.exporting import Exporting
from bot.privacy.farewells import Farewells
from bot.privacy.forgetting import Forgetting
from bot.privacy.retention import Retention
from bot.privacy.sweeping import Sweeping
from bot.provenance.asking import Asking
from bot.provenance.signing import Signing
from bot.provenance.stamping import Stamping
from bot.safety.gate import Gate
from bot.safety.hard_rule import HardRule, shipped_rule, widened_rule
from bot.safety.image_blocks import BadBlockFile, read_block_file
from bot.safety.words.files import BadRuleFile, read_rule_file
from bot.safety.words.rules import RuleSet
from bot.store.cases import CaseRepository
from bot.store.disk import DiskSpace
from bot.store.expansions import ExpansionRepository
from bot.store.hits import HitRepository
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from bot.store.jobs import JobRepository
from bot.store.members.image_blocks import ImageBlockRepository
from bot.store.members.ledger import LedgerRepository
from bot.store.members.servers import ServerRepository
from bot.store.members.user_settings import UserSettingsRepository
from bot.store.members.words import WordRuleRepository
from bot.store.privacy.forgetting import ForgettingRepository
from bot.store.privacy.own_data import OwnDataRepository
from bot.store.privacy.retention import RetentionRepository
from bot.store.privacy.wish_file import WishFile
from bot.store.queue import QueueRepository
from bot.store.register import RegisterRepository
from bot.store.sqlite.backing_up import Backups
from bot.store.sqlite.database import Database
from bot.store.stars import StarRepository
from bot.store.statistics import StatisticsRepository
from bot.store.timings import TimingRepository
from config.catalogue import Catalogue
from config.loading import ConfigError
from config.settings import Settings
from pipeline.backends.base import Backend

if TYPE_CHECKING:  # the library is missing where c2pa has no wheel
    from provenance.keys import SigningKey


def _heed_files(catalogue: Catalogue, backend: Backend) -> None:
    """Offer only samplers and capabilities that fit the models' files, as the worker found them."""
    ready = backend.status.ready
    if ready is not None:
        catalogue.heed(ready)


def owners_blocks(settings: Settings) -> tuple[bytes, ...]:
    """The looks of the pictures that the owner blocks.

    Raises:
        ConfigError: their file cannot be read.
    """
    if settings.safety.image_blocks is None:
        return ()
    try:
        return read_block_file(settings.safety.image_blocks)
    except BadBlockFile as error:
        raise ConfigError(str(error)) from error


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


def hard_rule(settings: Settings) -> HardRule:
    """The hard rule, with what the owner adds to its lists.

    Raises:
        ConfigError: a list of the owner cannot be read.
    """
    if settings.safety.hard_lists is None:
        return shipped_rule()
    try:
        return widened_rule(settings.safety.hard_lists)
    except BadRuleFile as error:
        raise ConfigError(str(error)) from error


class _Tables:
    """The tables that several services share."""

    def __init__(self, database: Database) -> None:
        self.jobs = JobRepository(database)
        self.queue = QueueRepository(database)
        self.timings = TimingRepository(database)
        self.user_settings = UserSettingsRepository(database)
        self.register = RegisterRepository(database)
        self.servers = ServerRepository(database)
        self.word_rules = WordRuleRepository(database)
        self.image_blocks = ImageBlockRepository(database)
        self.cases = CaseRepository(database)
        self.hits = HitRepository(database)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What most services are built from; `inputs` are the pictures that jobs are given."""

    settings: Settings
    catalogue: Catalogue
    backend: Backend
    calls: Calls
    tables: _Tables
    images: ImageStore
    input_files: ImageStore
    inputs: InputPictures
    signing: Signing
    gate: Gate
    judging: Judging
    image_checking: ImageChecking
    disk: DiskSpace

    @property
    def max_wait(self) -> timedelta:
        """How long a job may wait, and a delivery be tried again."""
        return timedelta(hours=self.settings.queue.max_wait_h)


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
    backend.on_ready(partial(_heed_files, catalogue, backend))
    tables, calls = _Tables(database), Calls(client, client.watch)
    calls.owner.is_notified = settings.owner.notify
    inputs = InputPictures(files=input_files, inputs=InputRepository(database))
    is_required = settings.provenance.sign == "required"
    hardest = hard_rule(settings)
    gate = Gate(owners_rules(settings), tables.word_rules.rules, hardest)
    parts = _Parts(
        settings=settings,
        catalogue=catalogue,
        backend=backend,
        calls=calls,
        tables=tables,
        images=images,
        input_files=input_files,
        inputs=inputs,
        signing=Signing(
            key=key,
            is_required=is_required,
            inputs=inputs,
            register=tables.register,
            stamping=Stamping(settings.provenance.timestamp_url),
        ),
        gate=gate,
        judging=Judging(
            gate=gate,
            servers=tables.servers,
            cases=tables.cases,
            hits=tables.hits,
            trusted_roles=settings.safety.trusted_roles,
            hard_rule_program=settings.safety.on_hard_rule,
        ),
        image_checking=ImageChecking(
            is_possible=settings.image_check != "off",
            where=settings.pipeline.check_content,
            owners_blocks=owners_blocks(settings),
            blocks=tables.image_blocks,
            servers=tables.servers,
            hard_rule=hardest,
        ),
        disk=DiskSpace(settings.storage.directory, settings.storage.min_free_gb),
    )
    return _services(parts, database)


def _services(parts: _Parts, database: Database) -> Services:
    tables = parts.tables
    storing = Storing(images=parts.images, jobs=tables.jobs, timings=tables.timings, signing=parts.signing)
    accepting = _accepting(parts, storing)
    receiving = Receiving(calls=parts.calls, inputs=parts.inputs)
    keeping = Keeping(images=parts.images, inputs=parts.inputs, stars=StarRepository(database))
    reviewing = Reviewing(
        calls=parts.calls,
        jobs=tables.jobs,
        cases=tables.cases,
        hits=tables.hits,
        servers=tables.servers,
        keeping=keeping,
        receiving=receiving,
    )
    dispatcher = _dispatcher(parts, accepting, storing, reviewing)
    repository = ForgettingRepository(database, parts.settings.quotas.time_zone)
    old = RetentionRepository(database)
    ending = JobEnding(dispatcher=dispatcher, persons=repository, servers=old)
    retention = Retention(repository=old, ending=ending, settings=parts.settings.privacy)
    own_data = OwnDataRepository(database)
    forgetting = Forgetting(
        wishes=WishFile(parts.settings.storage.database),
        repository=repository,
        folders={"images": parts.images, "inputs": parts.input_files},
        end_jobs=ending.of_person,
    )
    return Services(
        settings=parts.settings,
        database=database,
        disk=parts.disk,
        backups=_backups(parts.settings),
        catalogue=parts.catalogue,
        calls=parts.calls,
        jobs=tables.jobs,
        queue=tables.queue,
        ledger=LedgerRepository(database),
        servers=tables.servers,
        statistics=StatisticsRepository(database),
        user_settings=tables.user_settings,
        word_rules=tables.word_rules,
        image_blocks=tables.image_blocks,
        cases=tables.cases,
        hits=tables.hits,
        reviewing=reviewing,
        gate=parts.gate,
        expansions=ExpansionRepository(database),
        accepting=accepting,
        storing=storing,
        dispatcher=dispatcher,
        keeping=keeping,
        receiving=receiving,
        picking=Picking(receiving),
        signing=parts.signing,
        register=tables.register,
        asking=Asking(settings=parts.settings, receiving=receiving, register=tables.register),
        own_data=own_data,
        exporting=Exporting(data=own_data, images=parts.images, inputs=parts.input_files),
        forgetting=forgetting,
        retention=retention,
        sweeping=Sweeping(
            forgetting=forgetting,
            farewells=Farewells(calls=parts.calls, repository=repository),
            keeping=keeping,
            retention=retention,
            storage=parts.settings.storage,
        ),
        backend=parts.backend,
    )


def _backups(settings: Settings) -> Backups:
    return Backups(
        path=settings.storage.database,
        folder=settings.backups,
        every_h=settings.backup.every_h,
        keep=settings.backup.keep,
    )


def _accepting(parts: _Parts, storing: Storing) -> Accepting:
    return Accepting(
        jobs=parts.tables.jobs,
        timings=parts.tables.timings,
        quotas=parts.settings.quotas,
        queue=parts.settings.queue,
        catalogue=parts.catalogue,
        backend=parts.backend,
        storing=storing,
        disk=parts.disk,
        judging=parts.judging,
        input_checking=InputChecking(rule=parts.image_checking, backend=parts.backend, inputs=parts.inputs),
    )


def _dispatcher(parts: _Parts, accepting: Accepting, storing: Storing, reviewing: Reviewing) -> Dispatcher:
    settings, tables, backend = parts.settings, parts.tables, parts.backend
    preparing = Preparing(backend=backend, timings=tables.timings, default_key=parts.catalogue.default_key)
    delivery = _delivery(parts, accepting, preparing, reviewing)
    return Dispatcher(
        waiting_line=WaitingLine(calls=parts.calls, queue=tables.queue),
        jobs=tables.jobs,
        queue=tables.queue,
        backend=backend,
        storing=storing,
        inputs=parts.inputs,
        delivery=delivery,
        preparing=preparing,
        recovery=Recovery(calls=parts.calls, jobs=tables.jobs, queue=tables.queue, delivery=delivery),
        image_checking=parts.image_checking,
        running_per_user=settings.quotas.running_per_user,
        job_timeout_s=settings.pipeline.job_timeout_s,
        max_wait=parts.max_wait,
    )


def _delivery(parts: _Parts, accepting: Accepting, preparing: Preparing, reviewing: Reviewing) -> Delivery:
    calls, jobs, direct_message = parts.calls, parts.tables.jobs, parts.settings.delivery.direct_message
    return Delivery(
        calls=calls,
        jobs=jobs,
        preparing=preparing,
        images=parts.images,
        catalogue=parts.catalogue,
        accepting=accepting,
        user_settings=parts.tables.user_settings,
        signing=parts.signing,
        image_checking=parts.image_checking,
        judging=parts.judging,
        hold=reviewing.hold,
        last_words=LastWords(
            calls=calls, jobs=jobs, direct_message=direct_message, max_wait=parts.max_wait, signing=parts.signing
        ),
    )
