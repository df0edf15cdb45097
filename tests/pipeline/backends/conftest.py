"""A backend over one of the little workers in `children`, and what a test of it needs."""

import asyncio
import os
import sys
import threading
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from pipeline.backends.process import ProcessBackend
from pipeline.backends.starter import Starter
from pipeline.backends.watchdog import Timeouts
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Configure, JobEvent, Progress
from pipeline.protocol.wire.settings import EngineOptions

needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
CHILDREN = Path(__file__).parent / "children"
PATIENCE_S = 60.0
CONFIGURE = Configure(
    protocol_version=PROTOCOL_VERSION,
    device="cpu",
    dtype="auto",
    threads=0,
    models=(),
    preload=None,
    options=EngineOptions(),
)


class Rig(ProcessBackend):
    """A backend with helpers to wait on what matters."""

    _words: AsyncIterator[JobEvent] | None = None

    async def next_event(self) -> JobEvent:
        self._words = self._words or self.events()
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._words)

    async def terminals(self, count: int) -> list[JobEvent]:
        """The next terminal events; progress on the way is passed over."""
        found: list[JobEvent] = []
        while len(found) < count:
            event = await self.next_event()
            if not isinstance(event, Progress):
                found.append(event)
        return found

    async def until(self, condition: Callable[[], bool]) -> None:
        await wait_until(condition)

    @property
    def waiting_events(self) -> int:
        return self._attempts._events.qsize()


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only


def has_zombie() -> bool:
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


async def start_owner(child: str, way: str) -> tuple[Process, int]:
    """A bot in a process of its own, and the process id of its ready worker."""
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILDREN / "owner.py"),
        str(CHILDREN / f"{child}.py"),
        way,
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := await owner.stdout.readline():
            if line.strip().isdigit():
                return owner, int(line)
    raise AssertionError("the owner never had a worker")


Make = Callable[..., Rig]


@pytest.fixture(params=["exec", pytest.param("fork", marks=needs_fork)])
def way(request: pytest.FixtureRequest) -> str:
    """How children are started."""
    return request.param


@pytest.fixture
async def make(way: str) -> AsyncIterator[Make]:
    """Backends over a child; closed in the end, with no task, descriptor or zombie left."""
    made: list[Rig] = []
    descriptors = open_descriptors()

    def build(
        child: str,
        *arguments: str,
        command: tuple[str, ...] | None = None,
        environment: Mapping[str, str] | None = None,
        **timeouts: float,
    ) -> Rig:
        short = {"ready_s": 30.0, "stop_s": 5.0, "backoff_min_s": 0.01, "backoff_max_s": 0.05}
        rig = Rig(
            configure=CONFIGURE,
            command=command or (sys.executable, str(CHILDREN / f"{child}.py"), *arguments),
            timeouts=Timeouts(**(short | timeouts)),
            environment=environment,
            starter=Starter(preloaded=["tests.pipeline.backends.children.speech"]) if way == "fork" else None,
        )
        made.append(rig)
        return rig

    yield build
    for rig in made:
        await rig.close()
        await rig.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    # asyncio's threads must tell this loop of each process's end before the loop closes.
    await wait_until(lambda: not any("waitpid-" in thread.name for thread in threading.enumerate()))
    await wait_until(lambda: open_descriptors() <= descriptors)
    assert not has_zombie()
