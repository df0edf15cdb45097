"""A real database file, and jobs for it."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.jobs import JobRepository
from bot.store.rows import JobKind, NewJob
from pipeline.protocol.requests import GenerationRequest

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PERIOD = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    opened = await Database.open(tmp_path / "easel.db")
    yield opened
    await opened.close()


@pytest.fixture
def jobs(database: Database) -> JobRepository:
    return JobRepository(database)


@pytest.fixture
def new_job(request_: GenerationRequest) -> Callable[..., NewJob]:
    def make(interaction_id: int, *, user: int = 1, price: int = 1) -> NewJob:
        return NewJob(
            interaction_id=interaction_id,
            kind=JobKind.IMAGINE,
            parent_job_id=None,
            guild_id=5,
            channel_id=6,
            requester_id=user,
            requester_name="Ada",
            locale="en-US",
            filesize_limit=10_485_760,
            interaction_token="token",
            token_expires_at=NOW + timedelta(minutes=15),
            request=request_,
            notices=(),
            price=price,
            period_start=PERIOD,
        )

    return make
