"""The bot's present troubles, as its services know them."""

from collections import deque
from typing import Final

from bot.interactions.services import Services
from bot.troubles import Cause, Trouble

_WINDOW_S: Final = 600.0
_MANY: Final = 3
"""Restarts of the worker within ten minutes that are a trouble. One alone repairs itself."""


class RecentRestarts:
    """Counts the worker's restarts of the last ten minutes."""

    def __init__(self) -> None:
        self._totals: deque[tuple[float, int]] = deque()
        self.count = 0

    def note(self, total: int, now_s: float) -> None:
        """Note the number of restarts since the bot's start, at a time of a clock that never goes back."""
        while self._totals and self._totals[0][0] < now_s - _WINDOW_S:
            self._totals.popleft()
        self._totals.append((now_s, total))
        self.count = total - self._totals[0][1]


def troubles_of(services: Services) -> tuple[Trouble, ...]:
    """Troubles that keep jobs from their beginning or end, beside those of worker, dispatcher and connection."""
    return tuple(trouble for trouble in (services.storing.trouble, services.disk.trouble) if trouble is not None)


def warnings_of(services: Services, restarts: RecentRestarts) -> tuple[Trouble, ...]:
    """Troubles that hold up no job."""
    signing = services.signing
    kept = (signing.trouble, signing.stamping.trouble, services.backups.trouble)
    found = [trouble for trouble in kept if trouble is not None]
    if restarts.count >= _MANY:
        detail = services.backend.status.detail or "Easel's log has the reasons."
        sentence = f"The worker was restarted {restarts.count} times in the last ten minutes. {detail}"
        found.append(Trouble(cause=Cause.RESTARTS, sentence=sentence))
    resting = [view for view in services.backend.views if view.state == "resting"]
    if resting:
        whose = " ".join(f"The host {view.name} gets only what no other can draw. {view.detail}" for view in resting)
        found.append(Trouble(cause=Cause.HOST, sentence=f"{whose} It is tried again some minutes later."))
    unlike = [view for view in services.backend.views if view.state in {"ready", "drawing"} and view.detail]
    if unlike:
        sentence = " ".join(f"The host {view.name}: {view.detail}" for view in unlike)
        found.append(Trouble(cause=Cause.WEIGHTS, sentence=sentence))
    invalid = services.calls.watch.invalid
    if invalid.is_sparing:
        sentence = (
            f"Discord refused {invalid.count} requests in the last ten minutes; at 10,000 it would block Easel's "
            "address. Easel sends less until there are fewer. Easel's log has them."
        )
        found.append(Trouble(cause=Cause.INVALID_REQUESTS, sentence=sentence))
    return tuple(found)
