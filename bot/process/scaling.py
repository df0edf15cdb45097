"""The scale hook: a program of the owner's that starts hosts when jobs wait long, and ends hosts that idle."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
import structlog

from bot.interactions.services import Services
from bot.programs import run_program
from pipeline.backends.base import HostView

_LOOK_S: Final = 5.0
_PAUSE_S: Final = 60.0
"""Least seconds between two runs of the program for the same reason."""

Reason = Literal["wait", "idle"]

_log = structlog.get_logger(__name__)


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the program learns of a host; see `HostView`. `idle_s` are the seconds since it had a job."""

    name: str
    state: str
    running: int
    capacity: int
    models: tuple[str, ...]
    idle_s: float


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What the program is told, as one JSON object on its standard input.

    Attributes:
        reason: `wait`: jobs wait too long for a free worker; `idle`: hosts have had nothing to draw for long.
        waiting: number of jobs that wait for a free worker, by model.
        oldest_s: seconds that the oldest of these waits.
        idle: names of the hosts that idle.
        hosts: all hosts.
    """

    reason: Reason
    waiting: dict[str, int]
    oldest_s: float
    idle: tuple[str, ...]
    hosts: tuple[HostFacts, ...]


class Scaling:
    """Looks at queue and hosts, and runs the program."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings.hosts
        self._busy_at: dict[str, float] = {}
        self._told_at: dict[str, float] = {}

    async def run(self) -> None:
        """Look until cancelled; without a program, do nothing."""
        while True:
            if self._settings.scale_hook is not None:
                try:
                    await self.look()
                except sqlite3.Error as error:
                    _log.warning("the queue cannot be read", action="scaling_failed", error=repr(error))
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Run the program if there is a reason."""
        backend, now = self._services.backend, asyncio.get_running_loop().time()
        models = backend.open_models
        waits = await self._services.queue.waits_by_model()
        waits = {key: each for key, each in waits.items() if models is not None and key not in models}
        hosts = tuple(self._facts(view, now) for view in backend.views)
        oldest_at = min((each.oldest_at for each in waits.values()), default=None)
        oldest_s = 0.0 if oldest_at is None else (datetime.now(UTC) - oldest_at).total_seconds()
        waiting = {key: each.jobs for key, each in waits.items()}
        idle = tuple(
            host.name
            for host in hosts
            if host.idle_s > self._settings.idle_after_s and not waiting.keys() & {*host.models}
        )
        reasons: dict[Reason, bool] = {"wait": oldest_s > self._settings.scale_after_s, "idle": bool(idle)}
        for reason, is_given in reasons.items():
            if is_given:
                situation = Situation(reason=reason, waiting=waiting, oldest_s=oldest_s, idle=idle, hosts=hosts)
                await self._tell(situation, now)

    async def _tell(self, situation: Situation, now: float) -> None:
        program, told_at = self._settings.scale_hook, self._told_at.get(situation.reason)
        if program is None or (told_at is not None and now - told_at < _PAUSE_S):
            return
        self._told_at[situation.reason] = now
        _log.info("scale hook runs", action="scaling", reason=situation.reason, waiting=situation.waiting)
        await run_program("hosts.scale_hook", program, situation.reason, said=msgspec.json.encode(situation))

    def _facts(self, view: HostView, now: float) -> HostFacts:
        if view.state != "ready":
            self._busy_at[view.name] = now
        idle_s = now - self._busy_at.setdefault(view.name, now)
        return HostFacts(
            name=view.name,
            state=view.state,
            running=view.running,
            capacity=view.capacity,
            models=view.models,
            idle_s=idle_s,
        )
