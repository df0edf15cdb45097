"""A NATS server, sleeping hosts and a bot, each in processes of their own that can be killed."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.fleet.bot import settings_of
from tests.hosts.computers import Server

_PATIENCE_S: Final = 240.0
_SETTLED_S: Final = 1.0
"""Seconds after which a second delivery or a late attempt would have come."""


class Drawn(NamedTuple):
    """An attempt that a host took: when, by the computer's clock, where, and which."""

    at_s: float
    host: str
    job: int
    attempt: int


class Ended(NamedTuple):
    """What became of jobs, once all had ended or patience did.

    Attributes:
        seconds: from the first start to the last end.
        lost: jobs that did not succeed.
        repeated: attempts beyond the first.
        twice: deliveries beyond the first.
    """

    seconds: float
    lost: int
    repeated: int
    twice: int


class Rig:
    """A server, hosts and a bot in one folder.

    Args:
        folder: an empty folder.
        capacity: attempts that each host has at once.
    """

    def __init__(self, folder: Path, capacity: int = 4) -> None:
        self._folder = folder
        self._capacity = capacity
        self.server = Server(settings_of(folder, "").storage.hosts)
        self.server.start()
        self._hosts: dict[str, subprocess.Popen[bytes]] = {}
        self._bot: subprocess.Popen[bytes] | None = None

    def add_hosts(self, *groups: int) -> None:
        """Start hosts: a process for each group, with as many agents as it says."""
        lines: list[tuple[Path, list[str]]] = []
        for number, count in enumerate(groups):
            names = [f"host-{number}-{each}" for each in range(count)]
            file = self._folder / f"lines-{number}"
            file.write_text("\n".join(str(self.server.roster.invite(name, self.server.address)) for name in names))
            lines.append((file, names))
        self.server.reload()
        for file, names in lines:
            process = _program("sleepers", file, self._capacity, self._folder / "drawn")
            self._hosts.update(dict.fromkeys(names, process))

    def start_bot(self, jobs: int = 0, steps: int = 0) -> None:
        """Start a bot with new jobs, or one that goes on with those that there are."""
        self._bot = _program("bot", self._folder, self.server.address, len(self._hosts), jobs, steps)

    def kill_bot(self) -> None:
        """Kill the bot as a power cut does."""
        if self._bot is not None:
            self._bot.kill()
            self._bot.wait()

    def kill_host(self, name: str) -> float:
        """Kill the process of a host; returns the time by the computer's clock."""
        self._hosts[name].kill()
        at_s = time.monotonic()
        self._hosts[name].wait()
        return at_s

    @property
    def drawn(self) -> list[Drawn]:
        """All attempts that hosts took, in order."""
        with contextlib.suppress(FileNotFoundError):
            words = [line.split() for line in (self._folder / "drawn").read_text().splitlines()]
            return [Drawn(float(at_s), host, int(job), int(attempt)) for at_s, host, job, attempt in words]
        return []

    def wait_drawn(self, count: int) -> None:
        """Wait until hosts took this number of attempts."""
        limit = time.monotonic() + _PATIENCE_S
        while len(self.drawn) < count and time.monotonic() < limit:
            time.sleep(0.02)

    def wait(self) -> Ended:
        """Wait until all jobs have ended."""
        limit = time.monotonic() + _PATIENCE_S
        while self._open_jobs() and time.monotonic() < limit:
            time.sleep(0.2)
        time.sleep(_SETTLED_S)
        with self._database() as database:
            first, last = database.execute("SELECT min(started_at), max(finished_at) FROM jobs").fetchone()
            (lost,) = database.execute("SELECT count(*) FROM jobs WHERE status <> 'succeeded'").fetchone()
        begun = Counter(each.job for each in self.drawn)
        delivered = Counter((self._folder / "delivered").read_text().split())
        return Ended(
            seconds=(last - first) / 1_000,
            lost=lost,
            repeated=begun.total() - len(begun),
            twice=delivered.total() - len(delivered),
        )

    def _open_jobs(self) -> int:
        with contextlib.suppress(sqlite3.OperationalError), self._database() as database:
            total, left = database.execute(
                "SELECT count(*), count(*) FILTER (WHERE status IN ('queued', 'running')) FROM jobs"
            ).fetchone()
            return left if total else 1
        return 1  # the bot has not made its database yet

    @contextlib.contextmanager
    def _database(self) -> Generator[sqlite3.Connection]:
        path = settings_of(self._folder, "").storage.database
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            yield database
        finally:
            database.close()

    def close(self) -> None:
        """End everything."""
        self.kill_bot()
        for process in self._hosts.values():
            process.kill()
            process.wait()
        self.server.kill()


def _program(name: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"benchmarks.fleet.{name}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])  # noqa: S603 - our own programs
