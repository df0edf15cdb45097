"""Whether Easel is well, told in a file that the bot writes every few seconds: who hangs or is gone writes none."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from pipeline.backends.base import WorkerState

FILE: Final = "health.json"
BEAT_S: Final = 10.0
STALE_S: Final = 45.0
_MOST_AWAY_S: Final = 120.0
"""So long Discord may be away before anybody needs to know; it is now and then."""
_WELL: Final = frozenset({WorkerState.STARTING, WorkerState.READY})


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes.

    Attributes:
        at: when it was so, in seconds since 1970.
        version: of Easel.
        away_since: since when there is no connection to Discord, in seconds since 1970; None while there is one.
        worker: its state.
        detail: one sentence on a worker that is not ready.
        is_dispatching: whether jobs are handed out and late ones ended.
        troubles: sentences on what else keeps jobs from their end.
    """

    at: float
    version: str
    away_since: float | None
    worker: WorkerState
    detail: str
    is_dispatching: bool
    troubles: tuple[str, ...] = ()

    @property
    def complaints(self) -> list[str]:
        """What is not well; nothing where all is."""
        found: list[str] = []
        if self.away_since is not None and self.at - self.away_since > _MOST_AWAY_S:
            since = datetime.fromtimestamp(self.away_since, UTC)
            found.append(f"There is no connection to Discord since {since:%Y-%m-%d %H:%M:%S} UTC; it is tried on.")
        if self.worker not in _WELL:
            found.append(f"No worker draws ({self.worker}): {self.detail}")
        if not self.is_dispatching:
            found.append("No job is handed out or ended any more; restart Easel.")
        return [*found, *self.troubles]


def write_health(directory: Path, health: Health) -> None:
    """Say how it goes.

    Raises:
        OSError: the disk would not take it.
    """
    partial = directory / f".{FILE}.partial"
    partial.write_bytes(msgspec.json.encode(health))
    partial.replace(directory / FILE)


def read_health(directory: Path) -> Health | None:
    """What the running bot said last; None where none runs, or none has said a word for too long."""
    try:
        health = msgspec.json.decode((directory / FILE).read_bytes(), type=Health)
    except (OSError, msgspec.DecodeError):
        return None
    return health if time.time() - health.at <= STALE_S else None


def complaints(directory: Path) -> list[str]:
    """What is not well with the Easel that uses this folder; nothing where all is."""
    health = read_health(directory)
    if health is not None:
        return health.complaints
    try:
        silent_s = time.time() - (directory / FILE).stat().st_mtime
    except OSError:
        return [f"No Easel runs on {directory} (storage.directory)."]
    causes = "it hangs, was killed, or its disk takes nothing. Make room where there is none, then restart it."
    return [f"Easel has not said a word for {silent_s:.0f} s: {causes}"]


def end_health(directory: Path) -> None:
    """Nobody is there any more."""
    (directory / FILE).unlink(missing_ok=True)
