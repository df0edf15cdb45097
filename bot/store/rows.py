"""Jobs and their outputs as frozen data, and their conversion from and to rows."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec
from msgspec.structs import asdict

from bot.store.failures import JobFailure
from bot.store.sqlite.statements import Value, from_ms, to_json, to_ms
from pipeline.protocol.messages import Notice, Recipe
from pipeline.protocol.requests import Request


class StartedBy(StrEnum):
    """The command or button that started a job."""

    IMAGINE = "imagine"
    REROLL = "reroll"
    VARY_SUBTLE = "vary-subtle"
    VARY_STRONG = "vary-strong"
    UPSCALE = "upscale"
    REMIX = "remix"
    REGION = "region"
    ZOOM_OUT = "zoom-out"
    PAN = "pan"
    ENLARGE = "enlarge"
    """`/upscale`, or the entry in the menu of a stranger's message. `UPSCALE` is of a picture of ours."""


class JobStatus(StrEnum):
    """The status of a job. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Default values for options of a request; None is no default."""

    negative_prompt: str | None = None
    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    size: str | None = None
    scheduler_name: str | None = None
    num_images: int | None = None
    model_key: str | None = None

    def or_else(self, defaults: "Preferences") -> Self:
        """These values; `defaults` fill the unset ones."""
        missing = {name: value for name, value in asdict(defaults).items() if getattr(self, name) is None}
        return msgspec.structs.replace(self, **missing)

    def only(self, names: Iterable[str]) -> Self:
        """Only the values with these names."""
        return msgspec.structs.replace(self, **dict.fromkeys(set(self.__struct_fields__) - {*names}))

    def names(self) -> frozenset[str]:
        """The names of the set values."""
        return frozenset(name for name, value in asdict(self).items() if value is not None)


class AskerDefaults(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The defaults for a request, in order of precedence. The model's defaults come after them."""

    channel: Preferences = Preferences()
    own: Preferences = Preferences()
    server: Preferences = Preferences()

    @property
    def merged(self) -> Preferences:
        """The first set value of each option."""
        return self.channel.or_else(self.own).or_else(self.server)

    def only(self, names: frozenset[str]) -> Self:
        """Of the values with these names, those that take precedence; each stays with its owner."""
        own = names - self.channel.names()
        return type(self)(
            channel=self.channel.only(names), own=self.own.only(own), server=self.server.only(own - self.own.names())
        )


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """A member in a channel; `guild_id` is 0 outside servers.

    `parent_channel_id` is the channel of a thread. Only new jobs have it, since the database does not store it.
    """

    guild_id: int
    channel_id: int
    user_id: int
    parent_channel_id: int | None = None
    role_ids: tuple[int, ...] = ()


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """The parent of a job: a job, its message and its image; `parent_image_index` None means the whole job."""

    parent_job_id: int
    parent_message_id: int | None
    parent_image_index: int | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The interaction that a job comes from: who asked, where, with which command or button, and how to answer.

    `interaction_id` is unique. A job of an expansion has the expansion's negative key instead (`bot.store.expansions`).
    The end of the job removes `interaction_token`. `shown_guild_id` is the server whose channel shows the message,
    0 in a direct message; `asker.guild_id` is the server whose rules apply.
    """

    interaction_id: int
    interaction_token: str | None
    token_expires_at: datetime | None
    started_by: StartedBy
    lineage: Lineage | None
    asker: Asker
    requester_name: str
    locale: str
    filesize_limit: int
    is_age_restricted: bool
    shown_guild_id: int

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read the origin's columns in a row of the table `jobs`."""
        values = {name: row[name] for name in cls.__struct_fields__ if name not in {"asker", "lineage"}}
        values["token_expires_at"] = from_ms(values["token_expires_at"])
        values["started_by"] = StartedBy(values["started_by"])
        values["is_age_restricted"] = bool(values["is_age_restricted"])
        asker = Asker(
            guild_id=row["guild_id"],
            channel_id=row["channel_id"],
            user_id=row["requester_id"],
            role_ids=msgspec.json.decode(row["role_ids"], type=tuple[int, ...]),
        )
        parent = {name: row[name] for name in Lineage.__struct_fields__}
        return cls(**values, asker=asker, lineage=None if parent["parent_job_id"] is None else Lineage(**parent))

    def columns(self) -> dict[str, Value]:
        """The origin's columns in a row of the table `jobs`, by name."""
        parent = dict.fromkeys(Lineage.__struct_fields__) if self.lineage is None else asdict(self.lineage)
        return {
            **{name: value for name, value in asdict(self).items() if name not in {"asker", "lineage"}},
            **parent,
            "token_expires_at": self.token_expires_at and to_ms(self.token_expires_at),
            "guild_id": self.asker.guild_id,
            "channel_id": self.asker.channel_id,
            "requester_id": self.asker.user_id,
            "role_ids": to_json(self.asker.role_ids),
        }

    @property
    def is_brought_along(self) -> bool:
        """Whether a member brought Easel along to a server that has not installed it."""
        return self.asker.guild_id != self.shown_guild_id


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

    `weight` is the member's weight in the queue. `expected_ms` is the expected duration, 0 if unknown.
    """

    price: int
    weight: int = 1
    is_express: bool = False
    expected_ms: int = 0

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
        }


class Job(JobOrder, frozen=True, kw_only=True):
    """An accepted order and its state.

    `queue_key` is the job's place in the queue; `turn_round` and `turn_deficit` are the member's turn before this job.
    `crashes` counts the workers that died while they had the job. `timeline` is the database's timeline at the job's
    acceptance (`bot.store.sqlite.timelines`).
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

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `jobs`."""
        values = {name: row[name] for name in cls.__struct_fields__ if name != "origin"}
        for name in ("created_at", "started_at", "finished_at"):
            values[name] = from_ms(values[name])
        values["request"] = msgspec.json.decode(values["request"], type=Request)
        values["defaults"] = msgspec.json.decode(values["defaults"], type=AskerDefaults)
        values["notices"] = msgspec.json.decode(values["notices"], type=tuple[Notice, ...])
        values["recipe"] = msgspec.json.decode(values["recipe"], type=Recipe | None)
        values["status"] = JobStatus(values["status"])
        values["failure"] = None if values["failure"] is None else JobFailure(values["failure"])
        return cls(**values, origin=Origin.from_row(row))

    @property
    def is_answer(self) -> bool:
        """Whether the job's message answers its interaction. A job of an expansion has a message beside the answer."""
        return self.origin.interaction_id > 0

    def log_context(self) -> dict[str, str | int]:
        """Values for each log record about this job."""
        return {"job_id": self.job_id, "attempt": self.attempt, "requester_id": self.requester_id}


class NewOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A finished output on disk, found by its hash.

    `output_index` is its index among the requested outputs. `kind` is the tag of `pipeline.protocol.messages.Output`.
    """

    output_index: int
    kind: str
    sha256: str
    media_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    seed: int | None = None

    @property
    def sides(self) -> tuple[int, int] | None:
        """Width and height in pixels; None for an output that has none."""
        return None if self.width is None or self.height is None else (self.width, self.height)


class Output(NewOutput, frozen=True, kw_only=True):
    """A stored output."""

    job_id: int

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `outputs`."""
        return cls(**{name: row[name] for name in cls.__struct_fields__})
