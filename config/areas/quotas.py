"""Settings of quotas."""

from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from config.areas.area import Area


class Period(StrEnum):
    """The period of a quota."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class QuotaSettings(Area):
    """How much a member may use."""

    amount: int = Field(default=50, ge=0, description="Images (or units of work) a period; 0 = no limit.")
    personal_amount: int | None = Field(
        default=None,
        ge=0,
        description="The same in direct messages and where people bring Easel along, all together; 0 = no limit.",
    )
    period: Period = Field(default=Period.DAY, description="hour, day, week or month.")
    pricing: Literal["flat", "work"] = Field(
        default="flat",
        description="flat: 1 an image; work: by steps, size and sampler against the model's default.",
    )
    time_zone: str = Field(default="UTC", description="IANA name of the zone in which days, weeks, months begin.")
    cooldown_s: float = Field(default=0.0, ge=0.0, description="Seconds between two jobs of a member; 0 = none.")
    cooldown_burst: int = Field(default=1, ge=1, description="Jobs that a rested member may ask for at once.")
    queued_per_user: int = Field(default=5, ge=0, description="Jobs that a member may have waiting; 0 = no limit.")
    running_per_user: int = Field(default=2, ge=0, description="Jobs of a member that run at once; 0 = no limit.")

    def amount_in(self, guild_id: int) -> int | None:
        """Units per period in a server, or outside of servers (0); None means no limit."""
        amount = self.amount if guild_id or self.personal_amount is None else self.personal_amount
        return amount or None

    @field_validator("time_zone")
    @classmethod
    def _is_known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"'{value}' is no IANA time zone such as Europe/Berlin") from error
        return value
