"""Faults of hosts under the real dispatcher and ledger, as `tests/bot/jobs` has them for a worker of this computer.

Each job is drawn, shown once and charged once, whatever breaks in the middle. What hosts can go on with is drawn once.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.store.rows.jobs import Job, JobStatus
from pipeline.backends.hosts.presence import Terms
from pipeline.link.link import MAX_PAUSE_S
from tests.bot.jobs.conftest import House
from tests.bot.jobs.conftest import open_house as open_house  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.jobs.conftest import world as world  # noqa: PLC0414
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414
from tests.hosts.cable import Cable
from tests.hosts.computers import POLICY, Computer, Server, until
from tests.hosts.conftest import OpenRig, Rig

LEASE_S = 1.5
PRICE = 3


class Scene:
    """A bot with two hosts, each of which draws one job, and a cable between the victim and the server."""

    def __init__(self, open_house: Callable[..., Awaitable[House]], rig: Rig, cable: Cable) -> None:
        self._open_house = open_house
        self.rig = rig
        self.cable = cable
        self.victim = rig.invite(capacity=1, address=cable.address)
        self.other = rig.invite(capacity=1)
        self.jobs: list[Job] = []

    async def open_bot(self) -> None:
        """A bot that goes on with what its ledger says; the one before is gone as a killed one is."""
        self.house = await self._open_house(fleet=self.rig.fleet, is_awaited=False)
        await self.house.services.dispatcher.recover()
        self.house.work()

    async def begin(self) -> None:
        await self.open_bot()
        self.victim.start_process()
        self.other.start()
        await self.rig.ready(2)
        self.jobs = [await self.house.ask("until go", user=user, price=PRICE) for user in (1, 2)]
        await until(lambda: all(len(computer.drew) == 1 for computer in (self.victim, self.other)))

    def signal(self, number: signal.Signals) -> None:
        assert self.victim.process is not None
        self.victim.process.send_signal(number)

    async def lost(self) -> None:
        """Wait until the victim is given up."""
        (host,) = (each for name, each in self.rig.fleet.hosts.items() if self.rig.computers[name] is self.victim)
        await until(lambda: not host.presence.is_here)

    async def end(self) -> None:
        for computer in (self.victim, self.other):
            computer.finish("go")
        for job in self.jobs:
            done = await self.house.until(job, JobStatus.SUCCEEDED)
            assert done.crashes == 0
            assert len(self.house.world.messages[job.message_id or 0]["attachments"]) == 1
        assert await self.house.spent() == PRICE * len(self.jobs)
        assert await self.house.broken() == []

    def drew(self, *computers: Computer) -> int:
        return sum(len(computer.drew) for computer in computers)


@pytest.fixture
async def scene(
    open_rig: OpenRig, open_house: Callable[..., Awaitable[House]], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncGenerator[Scene]:
    lease_s: float = getattr(request, "param", LEASE_S)
    server = Server(tmp_path / "nats")
    server.start()
    cable = await Cable.lay(server.address)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(server.kill)
        stack.push_async_callback(cable.close)
        scene = Scene(open_house, await open_rig(computers=0, lease_s=lease_s, on=server), cable)
        await scene.begin()
        yield scene
        await scene.house.close()
        await scene.rig.close()


@pytest.mark.parametrize("fault", ["killed", "frozen", "cut"])
async def test_a_lost_hosts_job_is_drawn_once_more_and_shown_and_charged_once(scene: Scene, fault: str) -> None:
    if fault == "cut":
        scene.cable.cut()
    else:
        scene.signal(signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
    await scene.lost()
    await scene.end()
    assert (scene.drew(scene.victim), scene.drew(scene.other)) == (1, 2)
    if fault != "killed":
        scene.cable.mend()
        scene.signal(signal.SIGCONT)
        # What it drew too late is neither shown nor charged.
        await scene.rig.ready(2)
        await scene.end()


@pytest.mark.parametrize("scene", [5.0], indirect=True)  # no host shall be lost, however busy this computer is
@pytest.mark.parametrize("fault", ["bot", "server", "drained"])
async def test_what_hosts_can_go_on_with_is_drawn_once(scene: Scene, fault: str) -> None:
    match fault:
        case "bot":
            scene.rig.fleet = scene.rig.make_fleet()
            await scene.open_bot()
        case "server":
            scene.rig.server.kill()
            scene.victim.finish("go")
            await asyncio.sleep(2 * MAX_PAUSE_S)
            scene.rig.server.start()
        case _:
            scene.signal(signal.SIGTERM)
    await scene.end()
    assert scene.drew(scene.victim, scene.other) == len(scene.jobs)


def test_a_host_is_heard_before_its_lease_ends_however_long_the_server_was_away() -> None:
    terms = Terms(policy=POLICY)
    assert 2 * MAX_PAUSE_S + terms.beat_s < terms.lease_s
