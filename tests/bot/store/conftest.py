"""A real database file, and jobs for it."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.store.jobs import JobRepository
from bot.store.members.ledger import LedgerRepository
from bot.store.members.servers import Decision, ServerRepository
from bot.store.privacy.forgetting import ForgettingRepository, Forgotten
from bot.store.queue import QueueRepository
from bot.store.rows.jobs import Job, NewJob
from bot.store.rows.origin import Asker, Origin
from bot.store.rows.wishes import AskedBy, Scope
from bot.store.sqlite.checking import check
from bot.store.sqlite.database import Database
from config.areas.quotas import QuotaSettings
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_origin

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
GUILD = 5
ADMIN = 99


def settings_of(**values: Any) -> QuotaSettings:
    """Quota settings, without any limit unless told."""
    return QuotaSettings.model_validate({"amount": 0, "queued_per_user": 0, "running_per_user": 0, **values})


def asker_of(user: int = 1, *, guild: int = GUILD, roles: tuple[int, ...] = (), channel: int = 6) -> Asker:
    """A member who asks."""
    return Asker(guild_id=guild, channel_id=channel, user_id=user, role_ids=roles)


def decision(now: datetime = NOW, reason: str | None = None, guild: int = GUILD) -> Decision:
    """What an admin decides."""
    return Decision(guild_id=guild, actor_id=ADMIN, now=now, reason=reason)


def inputs_of(*hashes: str) -> tuple[Input, ...]:
    """Inputs of these files."""
    return tuple(Input(role=InputRole.INIT_IMAGE, sha256=sha256, strength=0.5) for sha256 in hashes)


def with_inputs(new: NewJob, *hashes: str) -> NewJob:
    """The job with inputs of these files."""
    return msgspec.structs.replace(new, request=msgspec.structs.replace(new.request, inputs=inputs_of(*hashes)))


class Store:
    """Every repository on one database, and the short ways that tests take."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobRepository(database)
        self.queue = QueueRepository(database)
        self.ledger = LedgerRepository(database)
        self.servers = ServerRepository(database)
        self.forgetting = ForgettingRepository(database, "UTC")

    async def accept(
        self,
        new: NewJob,
        *,
        now: datetime = NOW,
        is_seen: bool = True,
        **quotas: Any,
    ) -> Job:
        """Accept a job and, unless told otherwise, let Discord see it."""
        job, _ = await self.jobs.accept(new, settings=settings_of(**quotas), now=now)
        if is_seen:
            await self.jobs.record_message(job.job_id, 1_000 + job.job_id)
        return job

    async def forget(
        self, user: int, now: datetime = NOW, scope: Scope = Scope.WORDS, by: AskedBy = AskedBy.OWNER
    ) -> Forgotten:
        """Forget a person in the database. Files stay until `removals` is heeded."""
        return await self.forgetting.carry_out(await self.forgetting.wish(user, scope, by, now), now)

    async def removals(self, folder: str) -> set[str]:
        """Hashes of the files of a folder that must go."""
        return {sha256 for named, sha256 in await self.forgetting.removals() if named == folder}

    async def used(self, user: int = 1, now: datetime = NOW, **quotas: Any) -> int:
        """Units charged or reserved in the member's period."""
        facts = await self.jobs.facts(asker_of(user), settings_of(**quotas), now)
        return facts.spent + facts.held

    async def broken(self) -> list[str]:
        """Promises that the database breaks."""
        return [f"{finding.promise}: {finding.examples}" for finding in await check(self.database) if finding.broken]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    opened = await Database.open(tmp_path / "easel.db")
    yield opened
    await opened.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


@pytest.fixture
def new_job(request_: GenerationRequest) -> Callable[..., NewJob]:
    def make(
        interaction_id: int, *, user: int = 1, price: int = 1, guild: int = GUILD, channel: int = 6, **values: Any
    ) -> NewJob:
        asker = values.pop("asker", asker_of(user, guild=guild, channel=channel))
        told = {name: values.pop(name) for name in Origin.__struct_fields__ if name in values}
        usual = {"interaction_id": interaction_id, "token_expires_at": NOW + timedelta(minutes=15)}
        origin = example_origin(asker, **{**usual, **told})
        fields: dict[str, Any] = {"origin": origin, "request": request_, "notices": (), "price": price, **values}
        return NewJob(**fields)

    return make
