"""Jobs and their results as frozen data, and the way from and to rows."""

import sqlite3
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

import msgspec

from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest


class JobKind(StrEnum):
    """What started a job."""

    IMAGINE = "imagine"
    REROLL = "reroll"


class JobStatus(StrEnum):
    """Where a job is. The last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as times are stored."""
    return round(moment.timestamp() * 1_000)


def from_ms(value: int | None) -> datetime | None:
    """An aware time in UTC."""
    return None if value is None else datetime.fromtimestamp(value / 1_000, UTC)


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job before it has a number."""

    interaction_id: int
    kind: JobKind
    parent_job_id: int | None
    guild_id: int
    channel_id: int
    requester_id: int
    requester_name: str
    locale: str
    filesize_limit: int
    interaction_token: str
    token_expires_at: datetime
    request: GenerationRequest
    notices: tuple[Notice, ...]
    price: int
    period_start: datetime


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted request and all that became of it."""

    job_id: int
    interaction_id: int
    kind: JobKind
    parent_job_id: int | None
    guild_id: int
    channel_id: int
    requester_id: int
    requester_name: str
    locale: str
    filesize_limit: int
    interaction_token: str | None
    token_expires_at: datetime | None
    message_id: int | None
    request: GenerationRequest
    notices: tuple[Notice, ...]
    price: int
    period_start: datetime
    status: JobStatus
    failure: str | None
    error_id: str | None
    attempt: int
    cancel_requested_by: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    denoise_s: float | None
    total_s: float | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `jobs`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        for name in ("token_expires_at", "period_start", "created_at", "started_at", "finished_at"):
            values[name] = from_ms(values[name])
        values["request"] = msgspec.json.decode(values["request"], type=GenerationRequest)
        values["notices"] = msgspec.json.decode(values["notices"], type=tuple[Notice, ...])
        values["kind"] = JobKind(values["kind"])
        values["status"] = JobStatus(values["status"])
        return cls(**values)

    def log_context(self) -> dict[str, str | int]:
        """What every log record about this job says."""
        return {"job_id": self.job_id, "attempt": self.attempt, "requester_id": self.requester_id}


class NewResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finished image that is on disk under its hash."""

    sha256: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    seed: int


class Result(NewResult, frozen=True, kw_only=True):
    """A stored result."""

    job_id: int
    image_index: int
