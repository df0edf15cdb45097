"""What most services are built from."""

from dataclasses import dataclass
from datetime import timedelta

from bot.calls.messages import Calls
from bot.jobs.image_checking import ImageChecking
from bot.jobs.judging import Judging
from bot.pictures.inputs import InputPictures
from bot.provenance.signing import Signing
from bot.safety.gate import Gate
from bot.store.cases import CaseRepository
from bot.store.disk import DiskSpace
from bot.store.hits import HitRepository
from bot.store.images import ImageStore
from bot.store.jobs import JobRepository
from bot.store.members.image_blocks import ImageBlockRepository
from bot.store.members.servers import ServerRepository
from bot.store.members.showcase import ShowcaseRepository
from bot.store.members.user_settings import UserSettingsRepository
from bot.store.members.words import WordRuleRepository
from bot.store.queue import QueueRepository
from bot.store.register import RegisterRepository
from bot.store.sqlite.database import Database
from bot.store.timings import TimingRepository
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import Backend


class Tables:
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
        self.showcase = ShowcaseRepository(database)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What most services are built from; `inputs` are the pictures that jobs are given."""

    settings: Settings
    catalogue: Catalogue
    backend: Backend
    calls: Calls
    tables: Tables
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
