"""What the bot counts and times while it works, as instruments of prometheus-client.

No label is a member, a server or a channel. `bot.process.metrics` serves them, if the owner wants that.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_SHORT_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds for commits and answers. Discord waits three seconds for an answer."""
_LONG_S: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
"""Bounds for waits and drawing."""

REGISTRY: Final = CollectorRegistry()
JOBS: Final = Counter(
    "easel_jobs",
    "Jobs that ended; `reason` is empty for those that did not fail.",
    ("kind", "status", "reason"),
    registry=REGISTRY,
)
UNITS: Final = Counter("easel_units", "Units that ended jobs cost their members.", ("kind",), registry=REGISTRY)
WAIT: Final = Histogram(
    "easel_wait_seconds", "From the acceptance of a job to its start.", buckets=_LONG_S, registry=REGISTRY
)
DRAW: Final = Histogram(
    "easel_draw_seconds",
    "From the start of an attempt to its finished files.",
    ("kind",),
    buckets=_LONG_S,
    registry=REGISTRY,
)
DELIVER: Final = Histogram(
    "easel_deliver_seconds",
    "From a job's finished files to its message at Discord.",
    buckets=_LONG_S,
    registry=REGISTRY,
)
ACKNOWLEDGE: Final = Histogram(
    "easel_acknowledge_seconds",
    "From a command or press, as Discord stamped it, to its first answer.",
    buckets=_SHORT_S,
    registry=REGISTRY,
)
REQUESTS: Final = Counter(
    "easel_discord_requests",
    "Requests to Discord; `status` is `none` without an answer.",
    ("method", "status"),
    registry=REGISTRY,
)
COMMIT: Final = Histogram(
    "easel_commit_seconds",
    "A transaction of the database, which holds up to 64 changes.",
    buckets=_SHORT_S,
    registry=REGISTRY,
)
