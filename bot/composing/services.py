"""Builds the bot's services from their parts."""

from functools import partial
from typing import TYPE_CHECKING

from bot.calls.messages import Calls
from bot.client import EaselClient
from bot.composing.jobs import JobServices, job_services
from bot.composing.parts import Parts, Tables
from bot.composing.privacy import PrivacyServices, privacy_services
from bot.interactions.services import Services
from bot.jobs.image_checking import ImageChecking
from bot.jobs.judging import Judging
from bot.pictures.inputs import InputPictures
from bot.pictures.picking import Picking
from bot.provenance.asking import Asking
from bot.provenance.signing import Signing
from bot.provenance.stamping import Stamping
from bot.safety.gate import Gate
from bot.safety.hard_rule import HardRule
from bot.safety.owners import hard_rule, owners_blocks, owners_people, owners_rules
from bot.store.disk import DiskSpace
from bot.store.expansions import ExpansionRepository
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from bot.store.members.ledger import LedgerRepository
from bot.store.members.spendings import SpendingRepository
from bot.store.sqlite.backing_up import Backups
from bot.store.sqlite.database import Database
from bot.store.statistics import StatisticsRepository
from bot.together.showcase import Showcase
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import Backend

if TYPE_CHECKING:  # the library is missing where c2pa has no wheel
    from provenance.keys import SigningKey


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
    """Build the bot's services from their parts.

    Raises:
        ConfigError: a file of rules that the settings name cannot be read.
    """
    backend.on_ready(partial(_heed_files, catalogue, backend))
    tables, calls = Tables(database), Calls(client, client.watch)
    calls.owner.is_notified = settings.owner.notify
    inputs = InputPictures(files=input_files, inputs=InputRepository(database))
    hardest = hard_rule(settings)
    gate = Gate(owners_rules(settings), tables.word_rules.rules, hardest, owners_people(settings))
    parts = Parts(
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
            is_required=settings.provenance.sign == "required",
            inputs=inputs,
            register=tables.register,
            stamping=Stamping(settings.provenance.timestamp_url),
        ),
        gate=gate,
        judging=_judging(settings, tables, gate),
        image_checking=_image_checking(settings, tables, hardest),
        disk=DiskSpace(settings.storage.directory, settings.storage.min_free_gb),
    )
    jobs = job_services(parts, database)
    return _services(parts, database, jobs, privacy_services(parts, database, jobs))


def _judging(settings: Settings, tables: Tables, gate: Gate) -> Judging:
    return Judging(
        gate=gate,
        servers=tables.servers,
        cases=tables.cases,
        hits=tables.hits,
        trusted_roles=settings.safety.trusted_roles,
        hard_rule_program=settings.safety.on_hard_rule,
    )


def _image_checking(settings: Settings, tables: Tables, hardest: HardRule) -> ImageChecking:
    return ImageChecking(
        is_possible=settings.image_check != "off",
        where=settings.pipeline.check_content,
        owners_blocks=owners_blocks(settings),
        blocks=tables.image_blocks,
        servers=tables.servers,
        hard_rule=hardest,
    )


def _backups(settings: Settings) -> Backups:
    return Backups(
        path=settings.storage.database,
        folder=settings.backups,
        every_h=settings.backup.every_h,
        keep=settings.backup.keep,
    )


def _showcase(parts: Parts, jobs: JobServices) -> Showcase:
    return Showcase(
        calls=parts.calls,
        jobs=parts.tables.jobs,
        exhibits=parts.tables.showcase,
        user_settings=parts.tables.user_settings,
        keeping=jobs.keeping,
        signing=parts.signing,
    )


def _services(parts: Parts, database: Database, jobs: JobServices, privacy: PrivacyServices) -> Services:
    return Services(
        settings=parts.settings,
        database=database,
        disk=parts.disk,
        backups=_backups(parts.settings),
        catalogue=parts.catalogue,
        calls=parts.calls,
        jobs=parts.tables.jobs,
        queue=parts.tables.queue,
        ledger=LedgerRepository(database),
        servers=parts.tables.servers,
        spendings=SpendingRepository(database),
        statistics=StatisticsRepository(database),
        user_settings=parts.tables.user_settings,
        word_rules=parts.tables.word_rules,
        image_blocks=parts.tables.image_blocks,
        cases=parts.tables.cases,
        hits=parts.tables.hits,
        reviewing=jobs.reviewing,
        gate=parts.gate,
        expansions=ExpansionRepository(database),
        accepting=jobs.accepting,
        storing=jobs.storing,
        dispatcher=jobs.dispatcher,
        sheets=jobs.sheets,
        keeping=jobs.keeping,
        receiving=jobs.receiving,
        picking=Picking(jobs.receiving),
        signing=parts.signing,
        register=parts.tables.register,
        asking=Asking(settings=parts.settings, receiving=jobs.receiving, register=parts.tables.register),
        exporting=privacy.exporting,
        forgetting=privacy.forgetting,
        history=privacy.history,
        retention=privacy.retention,
        sweeping=privacy.sweeping,
        showcase=_showcase(parts, jobs),
        backend=parts.backend,
    )
