"""The health file. The bot writes it every few seconds, so an old file means that the bot hangs or is gone."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bot.troubles import Cause, Trouble
from pipeline.backends.base import WorkerState

FILE: Final = "health.json"
BEAT_S: Final = 10.0
STALE_S: Final = 45.0
_MOST_AWAY_S: Final = 105.0
"""Seconds without Discord before it is a complaint, since short gaps are normal. The next beat says so."""
_WELL: Final = frozenset({WorkerState.STARTING, WorkerState.READY})


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The health of the bot.

    Attributes:
        at: the time of this state, in seconds since 1970.
        version: Easel's version.
        away_since: the time of the lost connection to Discord, in seconds since 1970; None while it is connected.
        worker: the worker's state.
        detail: one sentence about a worker that is not ready.
        is_dispatching: whether jobs are given to the worker and late ones are ended.
        troubles: other faults that keep jobs from their beginning or end.
        warnings: faults that hold up no job.
    """

    at: float
    version: str
    away_since: float | None
    worker: WorkerState
    detail: str
    is_dispatching: bool
    troubles: tuple[Trouble, ...] = ()
    warnings: tuple[Trouble, ...] = ()

    @property
    def complaints(self) -> list[str]:
        """One sentence for each fault that keeps jobs from their beginning or end; empty if there is none."""
        return [trouble.sentence for trouble in self.faults]

    @property
    def complaints_of_bot(self) -> list[str]:
        """The same of the bot itself, without the worker's."""
        return [trouble.sentence for trouble in self.faults if trouble.cause is not Cause.WORKER]

    @property
    def faults(self) -> list[Trouble]:
        """The faults that keep jobs from their beginning or end."""
        found: list[Trouble] = []
        if self.away_since is not None and self.at - self.away_since > _MOST_AWAY_S:
            since = datetime.fromtimestamp(self.away_since, UTC)
            sentence = f"There is no connection to Discord since {since:%Y-%m-%d %H:%M:%S} UTC; it is tried on."
            found.append(Trouble(cause=Cause.DISCORD, sentence=sentence, since=since))
        if not self.is_dispatching:
            sentence = "No job is handed out or ended any more; restart Easel."
            found.append(Trouble(cause=Cause.DISPATCHER, sentence=sentence))
        found.extend(self.troubles)
        if self.worker not in _WELL:
            found.append(Trouble(cause=Cause.WORKER, sentence=f"No worker draws ({self.worker}): {self.detail}"))
        return found


def write_health(directory: Path, health: Health) -> None:
    """Write the health file.

    Raises:
        OSError: the file cannot be written.
    """
    partial = directory / f".{FILE}.partial"
    partial.write_bytes(msgspec.json.encode(health))
    partial.replace(directory / FILE)


def read_health(directory: Path) -> Health | None:
    """The last health of the running bot; None if there is no bot or its file is too old."""
    try:
        health = msgspec.json.decode((directory / FILE).read_bytes(), type=Health)
    except (OSError, msgspec.DecodeError):
        return None
    return health if time.time() - health.at <= STALE_S else None


def complaints(directory: Path) -> list[str]:
    """One sentence for each fault of the Easel that uses this folder; empty if there is none."""
    health = read_health(directory)
    if health is not None:
        return health.complaints
    try:
        silent_s = time.time() - (directory / FILE).stat().st_mtime
    except OSError:
        return [f"No Easel runs on {directory} (storage.directory)."]
    causes = "it hangs, was killed, or its disk takes nothing. Make room where there is none, then restart it."
    return [f"Easel has not said a word for {silent_s:.0f} s: {causes}"]


def warnings(directory: Path) -> list[str]:
    """One sentence for each fault that holds up no job of the Easel that uses this folder."""
    health = read_health(directory)
    return [] if health is None else [trouble.sentence for trouble in health.warnings]


def version_of(directory: Path) -> str:
    """The version of the Easel that runs on this folder, which an update does not change; empty if none runs."""
    health = read_health(directory)
    return "" if health is None else health.version


def end_health(directory: Path) -> None:
    """Remove the health file, since the bot ends."""
    (directory / FILE).unlink(missing_ok=True)
