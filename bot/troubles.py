"""Lasting faults that the owner must know of."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """What a trouble is about. At any time there is at most one trouble of each cause."""

    DISCORD = "discord"
    DISPATCHER = "dispatcher"
    WORKER = "worker"
    RESTARTS = "restarts"
    HOST = "host"
    """A GPU host rests."""
    WEIGHTS = "weights"
    """GPU hosts have unlike files of one model."""
    DATABASE = "database"
    DISK = "disk"
    """The disk takes no data."""
    SPACE = "space"
    """The disk has less free space than the owner wants."""
    SIGNING = "signing"
    STAMPING = "stamping"
    """The time stamp authority gives no time stamps."""
    BACKUP = "backup"
    INVALID_REQUESTS = "invalid_requests"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that lasts.

    Attributes:
        cause: what it is about.
        sentence: one or a few sentences for the owner: what happened, and what helps.
        since: when it was first seen; None if that is not known.
    """

    cause: Cause
    sentence: str
    since: datetime | None = None
