"""A NATS server that all tests of hosts share, and a rig with a fleet and computers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from pipeline.backends.base import Backend
from pipeline.backends.hosts.fleet import Fleet
from pipeline.backends.hosts.presence import Terms
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Progress
from tests.hosts.computers import PATIENCE_S, POLICY, Computer, Server, until

_names = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that no test stops."""
    server = Server(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()


class Rig:
    """A fleet and its computers on one server."""

    def __init__(self, server: Server, folder: Path, lease_s: float) -> None:
        self.server = server
        self.folder = folder
        self.lease_s = lease_s
        self.computers: dict[str, Computer] = {}
        self.fleet = self.make_fleet()
        self._events = self.fleet.events()

    def make_fleet(self, local: Backend | None = None) -> Fleet:
        """A fleet that knows this rig's computers alone."""
        terms = Terms(policy=POLICY, lease_s=self.lease_s, beat_s=0.1)
        return Fleet(
            self.server.roster.door(self.server.address),
            terms,
            roster=lambda: {n: d for n, d in self.server.roster.draining.items() if n in self.computers},
            local=local,
        )

    def invite(self, *, capacity: int = 2, models: str = "pocket", address: str = "") -> Computer:
        """A new computer, which the server knows."""
        name = f"host-{next(_names)}"
        line = str(self.server.roster.invite(name, address or self.server.address))
        self.server.reload()
        return self.join(name, line, capacity=capacity, models=models)

    def join(self, name: str, line: str, *, capacity: int = 2, models: str = "pocket") -> Computer:
        """A computer that was invited otherwise."""
        self.computers[name] = Computer(line, self.folder / f"computer-{name}", capacity, models)
        return self.computers[name]

    async def begin(self, fleet: Fleet | None = None) -> None:
        """Start the fleet, and wait until all of its computers are ready."""
        self.fleet = fleet or self.fleet
        self._events = self.fleet.events()
        await self.fleet.start()
        await self.fleet.take_over({})
        await self.ready(len(self.computers))

    async def ready(self, number: int) -> None:
        await until(lambda: sum(host.free_slots > 0 for host in self.fleet.hosts.values()) == number)

    async def end(self) -> Finished | Failed:
        """The next end of an attempt, which is settled."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event: JobEvent = await anext(self._events)
                if not isinstance(event, Progress):
                    await self.fleet.settle(event.job_id, event.attempt)
                    return event

    async def close(self) -> None:
        await self.fleet.close()
        for computer in self.computers.values():
            await computer.close()


OpenRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
async def open_rig(server: Server, tmp_path: Path) -> AsyncIterator[OpenRig]:
    rigs: list[Rig] = []

    async def opened(*, computers: int = 1, lease_s: float = 5.0, on: Server | None = None, capacity: int = 2) -> Rig:
        rig = Rig(on or server, tmp_path, lease_s)
        rigs.append(rig)
        for _ in range(computers):
            rig.invite(capacity=capacity).start()
        if computers:
            await rig.begin()
        return rig

    yield opened
    for rig in rigs:
        await rig.close()
    # What was cancelled last needs a turn of the loop to end.
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
