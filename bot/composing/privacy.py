"""The services of privacy."""

from dataclasses import dataclass

from bot.composing.jobs import JobServices
from bot.composing.parts import Parts
from bot.privacy.ending_jobs import JobEnding
from bot.privacy.exporting import Exporting
from bot.privacy.farewells import Farewells
from bot.privacy.forgetting import Forgetting
from bot.privacy.history import History
from bot.privacy.retention import Retention
from bot.privacy.sweeping import Sweeping
from bot.store.members.history import HistoryRepository
from bot.store.privacy.forgetting import ForgettingRepository
from bot.store.privacy.own_data import OwnDataRepository
from bot.store.privacy.retention import RetentionRepository
from bot.store.privacy.wish_file import WishFile
from bot.store.sqlite.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyServices:
    """The services for what members may do with their data, and what goes by itself in time."""

    exporting: Exporting
    forgetting: Forgetting
    history: History
    retention: Retention
    sweeping: Sweeping


def privacy_services(parts: Parts, database: Database, jobs: JobServices) -> PrivacyServices:
    """Build the services of privacy."""
    settings = parts.settings
    old = RetentionRepository(database)
    repository = ForgettingRepository(database, settings.quotas.time_zone)
    ending = JobEnding(dispatcher=jobs.dispatcher, persons=repository, servers=old)
    retention = Retention(repository=old, ending=ending, settings=settings.privacy)
    forgetting = Forgetting(
        wishes=WishFile(settings.storage.database),
        repository=repository,
        folders={"images": parts.images, "inputs": parts.input_files},
        end_jobs=ending.of_person,
    )
    sweeping = Sweeping(
        forgetting=forgetting,
        farewells=Farewells(calls=parts.calls, repository=repository),
        keeping=jobs.keeping,
        retention=retention,
        storage=settings.storage,
    )
    return PrivacyServices(
        exporting=Exporting(data=OwnDataRepository(database), images=parts.images, inputs=parts.input_files),
        forgetting=forgetting,
        history=History(repository=HistoryRepository(database), images=parts.images),
        retention=retention,
        sweeping=sweeping,
    )
