"""The interaction that a job comes from, as frozen data, and its columns in the table `jobs`."""

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec
from msgspec.structs import asdict

from bot.store.sqlite.statements import Value, from_ms, to_json, to_ms


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
    MAKING_OF = "making-of"
    MORPH = "morph"
    MORPH_INTO = "morph-into"
    """The button of a picture, which the morph begins with. `MORPH` is the command."""
    ENLARGE = "enlarge"
    """`/upscale`, or the entry in the menu of a stranger's message. `UPSCALE` is of a picture of ours."""
    CUTOUT = "cutout"
    GRID = "grid"
    """A cell of a sheet. Until it is taken out, it has no message of its own."""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """A member in a channel; `guild_id` is 0 outside servers.

    `parent_channel_id` is the channel of a thread.
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
            parent_channel_id=row["parent_channel_id"],
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
            "parent_channel_id": self.asker.parent_channel_id,
            "requester_id": self.asker.user_id,
            "role_ids": to_json(self.asker.role_ids),
        }

    @property
    def is_brought_along(self) -> bool:
        """Whether a member brought Easel along to a server that has not installed it."""
        return self.asker.guild_id != self.shown_guild_id
