"""The services for commands and buttons: one object in a process, built by `bot.composing`."""

from dataclasses import dataclass
from typing import Protocol, cast

from bot.calls.answers import Interaction
from bot.calls.messages import Calls
from bot.jobs.accepting import Accepting
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.keeping import Keeping
from bot.jobs.reviewing import Reviewing
from bot.jobs.sheets.sheets import Sheets
from bot.jobs.storing import Storing
from bot.pictures.picking import Picking
from bot.pictures.receiving import Receiving
from bot.privacy.exporting import Exporting
from bot.privacy.forgetting import Forgetting
from bot.privacy.history import History
from bot.privacy.retention import Retention
from bot.privacy.sweeping import Sweeping
from bot.provenance.asking import Asking
from bot.provenance.signing import Signing
from bot.safety.gate import Gate
from bot.store.cases import CaseRepository
from bot.store.disk import DiskSpace
from bot.store.expansions import ExpansionRepository
from bot.store.hits import HitRepository
from bot.store.jobs import JobRepository
from bot.store.members.image_blocks import ImageBlockRepository
from bot.store.members.ledger import LedgerRepository
from bot.store.members.servers import ServerRepository
from bot.store.members.spendings import SpendingRepository
from bot.store.members.user_settings import UserSettingsRepository
from bot.store.members.words import WordRuleRepository
from bot.store.queue import QueueRepository
from bot.store.register import RegisterRepository
from bot.store.sqlite.backing_up import Backups
from bot.store.sqlite.database import Database
from bot.store.statistics import StatisticsRepository
from bot.together.showcase import Showcase
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import Backend


@dataclass(frozen=True, kw_only=True)
class Services:
    """All services of the bot."""

    settings: Settings
    database: Database
    disk: DiskSpace
    backups: Backups
    catalogue: Catalogue
    calls: Calls
    jobs: JobRepository
    queue: QueueRepository
    ledger: LedgerRepository
    servers: ServerRepository
    spendings: SpendingRepository
    statistics: StatisticsRepository
    user_settings: UserSettingsRepository
    word_rules: WordRuleRepository
    image_blocks: ImageBlockRepository
    cases: CaseRepository
    hits: HitRepository
    reviewing: Reviewing
    gate: Gate
    expansions: ExpansionRepository
    accepting: Accepting
    storing: Storing
    dispatcher: Dispatcher
    sheets: Sheets
    keeping: Keeping
    receiving: Receiving
    picking: Picking
    signing: Signing
    register: RegisterRepository
    asking: Asking
    exporting: Exporting
    forgetting: Forgetting
    history: History
    retention: Retention
    sweeping: Sweeping
    showcase: Showcase
    backend: Backend


class _Client(Protocol):
    """The one attribute of `bot.client.EaselClient` that this module needs."""

    @property
    def services(self) -> Services: ...


def services_of(interaction: Interaction) -> Services:
    """The services of the client that received an interaction."""
    return cast("_Client", interaction.client).services
