"""Hosts of tests: real agents over little workers, behind a real NATS server."""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bot.hosts.roster import Roster
from bot.hosts.server import CONFIGURATION, write_configuration
from pipeline.agent.agent import Agent
from pipeline.backends.process import ProcessBackend
from pipeline.backends.watchdog import Timeouts
from pipeline.link.line import read_line
from pipeline.protocol.wire.hosts import Policy
from pipeline.protocol.wire.settings import ImageOutput
from tests.pipeline.backends.conftest import CHILDREN, CONFIGURE

HOST = Path(__file__).parent / "children" / "host.py"
PATIENCE_S = 120.0
POLICY = Policy(
    classifier=None, has_safety_checker=False, output=ImageOutput(), preview_interval_s=0, default_key="pocket"
)


def make_agent(line: str, folder: Path, capacity: int, models: str) -> Agent:
    """An agent whose worker writes down what it draws."""
    folder.mkdir(exist_ok=True)

    def make_backend(_: Policy) -> ProcessBackend:
        return ProcessBackend(
            configure=CONFIGURE,
            command=(sys.executable, str(CHILDREN / "drawing.py"), str(folder), str(capacity), models),
            timeouts=Timeouts(
                ready_s=30, heartbeat_s=300, step_s=300, stop_s=1, backoff_min_s=0.01, backoff_max_s=0.05
            ),
        )

    return Agent(read_line(line), make_backend=make_backend, easel="1.2.3")


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class Server:
    """A real NATS server, as `easel hosts server` configures it."""

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.roster = Roster(folder)
        self.roster.begin()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        write_configuration(self.roster, self.address)
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or "nats-server"
        command = [program, "--config", str(self.roster.folder / CONFIGURATION), "--log", str(self._log)]
        self._process = subprocess.Popen(command)
        host, _, port = self.address.rpartition(":")
        while self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port))):
                return
            time.sleep(0.01)
        raise AssertionError(self._log.read_text())

    def reload(self) -> None:
        """As `easel hosts` asks it to; by signal, which needs no link."""
        assert self._process is not None
        write_configuration(self.roster, self.address)
        before = self._reloads
        self._process.send_signal(signal.SIGHUP)
        while self._reloads == before:
            time.sleep(0.005)

    @property
    def _log(self) -> Path:
        return self.roster.folder / "server.log"

    @property
    def _reloads(self) -> int:
        return self._log.read_text().count("Reloaded server configuration")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Computer:
    """A host of a test. Its agent runs here, or in a process of its own that can be killed and frozen."""

    def __init__(self, line: str, folder: Path, capacity: int = 2, models: str = "pocket") -> None:
        self.folder = folder
        self._arguments = (line, folder, capacity, models)
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._stopping = asyncio.Event()
        self._running = asyncio.create_task(make_agent(*self._arguments).run(self._stopping, 30))

    def start_process(self) -> None:
        command = [sys.executable, str(HOST), *map(str, self._arguments)]
        self.process = subprocess.Popen(command)

    async def leave(self) -> None:
        """As SIGTERM makes it: take no more, end what is there, go."""
        self._stopping.set()
        if self._running is not None:
            await self._running

    async def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def finish(self, name: str) -> None:
        """Let what is drawn `until NAME` be finished."""
        (self.folder / name).touch()

    @property
    def drew(self) -> list[tuple[int, int]]:
        """The attempts that its worker was given, in order."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "easel-drew").read_text().splitlines()
            return [(int(job), int(attempt)) for job, attempt in (line.split() for line in lines)]
        return []


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)
