"""What commands and buttons call: one object for each process, made by `bot.app`."""

from dataclasses import dataclass

from bot.jobs.accepting import Accepting
from bot.jobs.dispatcher import Dispatcher
from bot.store.jobs import JobRepository
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import Backend


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything behind the conversation."""

    settings: Settings
    catalogue: Catalogue
    jobs: JobRepository
    accepting: Accepting
    dispatcher: Dispatcher
    backend: Backend
