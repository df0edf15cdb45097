"""Jobs as frozen data, from the wish of a member to the stored row."""

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from bot.store.rows.failures import JobFailure
from bot.store.rows.origin import Origin
from bot.store.rows.preferences import AskerDefaults
from bot.store.rows.wishes import BlankedFor
from bot.store.sqlite.statements import Value, from_ms, to_json
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.outputs import Notice, Recipe


class JobStatus(StrEnum):
    """The status of a job. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Hold(StrEnum):
    """Where a job stands that a moderator looks at before it is shown."""

    WANTED = "wanted"
    HELD = "held"
    """Drawn; its price is reserved, and nobody sees it."""
    ALLOWED = "allowed"


class WantedJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a member wants drawn: a resolved request, the defaults that it used, and notices for the member."""

    request: Request
    defaults: AskerDefaults = AskerDefaults()
    notices: tuple[Notice, ...]

    def order(self, origin: Origin) -> "JobOrder":
        """The order of this job by an interaction."""
        return JobOrder(origin=origin, request=self.request, defaults=self.defaults, notices=self.notices)


class JobOrder(WantedJob, frozen=True, kw_only=True):
    """A wanted job and the interaction that orders it."""

    origin: Origin

    @property
    def requester_id(self) -> int:
        """The member who owns the job and pays for it."""
        return self.origin.asker.user_id

    @property
    def guild_id(self) -> int:
        """The server whose rules apply; 0 outside servers."""
        return self.origin.asker.guild_id

    @property
    def channel_id(self) -> int:
        """The channel of the job's message."""
        return self.origin.asker.channel_id


class NewJob(JobOrder, frozen=True, kw_only=True):
    """An order with its price, before the job has an id.

    `weight` is the member's weight in the queue. `expected_ms` is the expected duration, 0 if unknown. `cost_micros` is
    the money that a service may bill for it, in millionths, and `budget_micros` the budget of a month.
    """

    price: int
    cost_micros: int = 0
    budget_micros: int = 0
    weight: int = 1
    is_express: bool = False
    expected_ms: int = 0
    hold: Hold | None = None

    def columns(self) -> dict[str, Value]:
        """The columns of a new row of the table `jobs`, by name. Weight and lane belong to the member's row."""
        return {
            **self.origin.columns(),
            "request": to_json(self.request),
            "defaults": to_json(self.defaults),
            "model_key": self.request.model_key,
            "notices": to_json(self.notices),
            "price": self.price,
            "expected_ms": self.expected_ms,
            "hold": self.hold,
        }


class Job(JobOrder, frozen=True, kw_only=True):
    """An accepted order and its state.

    `queue_key` is the job's place in the queue; `turn_round` and `turn_deficit` are the member's turn before this job.
    `crashes` counts the workers that died while they had the job. `timeline` is the database's timeline at the job's
    acceptance (`bot.store.sqlite.timelines`). `removed_at` is when moderators removed the job's outputs, and
    `blanked_for` says why its words and pictures are gone.
    """

    job_id: int
    message_id: int | None
    price: int
    queue_key: int | None
    turn_round: int
    turn_deficit: int
    expected_ms: int
    status: JobStatus
    failure: JobFailure | None
    error_id: str | None
    attempt: int
    crashes: int
    cancel_requested_by: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    denoise_s: float | None
    total_s: float | None
    recipe: Recipe | None
    timeline: int
    removed_at: datetime | None = None
    hold: Hold | None = None
    blanked_for: BlankedFor | None = None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `jobs`."""
        values = {name: row[name] for name in cls.__struct_fields__ if name != "origin"}
        for name in ("created_at", "started_at", "finished_at", "removed_at"):
            values[name] = from_ms(values[name])
        values["request"] = msgspec.json.decode(values["request"], type=Request)
        values["defaults"] = msgspec.json.decode(values["defaults"], type=AskerDefaults)
        values["notices"] = msgspec.json.decode(values["notices"], type=tuple[Notice, ...])
        values["recipe"] = msgspec.json.decode(values["recipe"], type=Recipe | None)
        values["status"] = JobStatus(values["status"])
        values["failure"] = None if values["failure"] is None else JobFailure(values["failure"])
        values["blanked_for"] = None if row["blanked_for"] is None else BlankedFor(row["blanked_for"])
        values["hold"] = None if values["hold"] is None else Hold(values["hold"])
        return cls(**values, origin=Origin.from_row(row))

    @property
    def kind(self) -> str:
        """The kind of its request: `image`, `upscale` or `cutout`."""
        return str(type(self.request).__struct_config__.tag)

    @property
    def is_answer(self) -> bool:
        """Whether the job's message answers its interaction. A job of an expansion has a message beside the answer."""
        return self.origin.interaction_id > 0

    def log_context(self) -> dict[str, str | int]:
        """Values for each log record about this job."""
        return {"job_id": self.job_id, "attempt": self.attempt, "requester_id": self.requester_id}
