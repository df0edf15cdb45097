"""Reports of members and the cases that moderators decide, as frozen data."""

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from bot.store.sqlite.statements import from_ms


class CaseKind(StrEnum):
    """What a case is about."""

    REPORT = "report"
    APPEAL = "appeal"
    HELD = "held"


class Outcome(StrEnum):
    """How a case ended: by a decision about a picture, a refused prompt or a held picture, or without one."""

    KEEP = "keep"
    SPOILER = "spoiler"
    REMOVE = "remove"
    ALLOW_ONCE = "allow-once"
    EXCEPT = "except"
    SHOW = "show"
    REFUSE = "refuse"
    EXPIRED = "expired"


class ReportReason(StrEnum):
    """What a member finds wrong with a picture."""

    SEXUAL = "sexual"
    VIOLENCE = "violence"
    HATE = "hate"
    PERSON = "person"
    OTHER = "other"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A member's report about a job's result; `locale` is the reporter's, who reads what was decided."""

    reporter_id: int
    reason: ReportReason
    note: str
    locale: str


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What moderators decide, with all reports about one job until then.

    Attributes:
        user_id: the member whom it is about.
        job_id: the job of a report, of a held picture, or of an appeal against hidden pictures.
        hit_id: the request of an appeal; None too once that is not kept any more.
        is_veiled: whether reports put the job's pictures behind a spoiler.
        channel_id, message_id: the case's card in the moderators' channel; None without one.
        outcome: None until it is decided.
    """

    case_id: int
    kind: CaseKind
    guild_id: int
    user_id: int
    job_id: int | None
    hit_id: int | None
    is_veiled: bool
    channel_id: int | None
    message_id: int | None
    created_at: datetime
    outcome: Outcome | None
    decided_by: int | None
    decided_at: datetime | None

    @property
    def is_held(self) -> bool:
        """Whether a held job waits for the decision, so that moderators see its pictures."""
        return self.kind is CaseKind.HELD and self.outcome is None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        """Read a row of the table `cases`."""
        values = {name: row[name] for name in cls.__struct_fields__}
        values["kind"] = CaseKind(values["kind"])
        values["is_veiled"] = bool(values["is_veiled"])
        values["outcome"] = None if values["outcome"] is None else Outcome(values["outcome"])
        for name in ("created_at", "decided_at"):
            values[name] = from_ms(values[name])
        return cls(**values)
