"""The owner's program hears when jobs wait long for a worker, and which hosts idle."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from bot.process import scaling
from bot.process.scaling import Scaling, Situation
from bot.quotas.standing import QueueState
from pipeline.backends.base import HostView
from tests.bot.jobs.conftest import Gate, House
from tests.bot.jobs.conftest import open_house as open_house  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.jobs.conftest import world as world  # noqa: PLC0414
from tests.bot.store.conftest import decision
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
VIEW = HostView(
    name="attic", state="ready", detail="", running=0, capacity=4, device="", models=("pocket",), easel=""
)  # fmt: skip


class Told:
    """What the program was told, and the look that may run it."""

    def __init__(self, house: House, file: Path) -> None:
        self._file = file
        self._scaling = Scaling(house.services)

    async def look(self) -> list[tuple[str, Situation]]:
        await self._scaling.look()
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        self._file.unlink(missing_ok=True)
        return [(line.split()[0], msgspec.json.decode(line.partition(" ")[2], type=Situation)) for line in lines]


@pytest.fixture
async def told(
    open_house: Callable[..., Awaitable[House]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Awaitable[tuple[House, Told]]]:
    async def opened(**limits: float) -> tuple[House, Told]:
        program, file = tmp_path / "scale", tmp_path / "told"
        program.write_text(f'#!/bin/sh\necho "$1 $(cat)" >> {file}\n')
        program.chmod(0o700)
        house = await open_house(hosts={"scale_hook": program, **limits})
        monkeypatch.setattr(Gate, "views", (VIEW,))
        return house, Told(house, file)

    return opened


async def test_the_program_hears_of_jobs_that_no_free_worker_can_draw(
    told: Callable[..., Awaitable[tuple[House, Told]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, program = await told(scale_after_s=0.001)
    await house.ask()
    await house.ask(user=2)
    assert await program.look() == []  # there are no hosts
    monkeypatch.setattr(Gate, "open_models", frozenset({"pocket"}))
    assert await program.look() == []  # somebody draws them soon
    monkeypatch.setattr(Gate, "open_models", frozenset())
    ((argument, situation),) = await program.look()
    assert (argument, situation.reason, situation.waiting) == ("wait", "wait", {"pocket": 2})
    assert situation.oldest_s > 0
    assert [host.name for host in situation.hosts] == ["attic"]
    assert await program.look() == []  # it has a while to act
    monkeypatch.setattr(scaling, "_PAUSE_S", 0.0)
    assert len(await program.look()) == 1
    await house.services.servers.set_queue_state(decision(), QueueState.PAUSED)
    assert await program.look() == []  # no worker helps a paused server


async def test_the_program_hears_which_hosts_idle(
    told: Callable[..., Awaitable[tuple[House, Told]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, program = await told(idle_after_s=1e-9)
    monkeypatch.setattr(Gate, "open_models", frozenset({"pocket"}))
    monkeypatch.setattr(Gate, "views", (msgspec.structs.replace(VIEW, state="drawing"),))
    assert await program.look() == []
    assert await program.look() == []
    monkeypatch.setattr(Gate, "views", (VIEW,))
    ((argument, situation),) = await program.look()
    assert (argument, situation.idle) == ("idle", ("attic",))
