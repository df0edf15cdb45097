"""What a forked worker shares with one by exec, and what becomes of starters that are no good."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from pipeline.backends import starter as starters
from pipeline.backends.starter import Starter
from pipeline.backends.watchdog import Timeouts
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed
from tests.pipeline.backends.conftest import (
    CHILDREN,
    CONFIGURE,
    PATIENCE_S,
    Rig,
    has_zombie,
    is_alive,
    needs_fork,
    open_descriptors,
    start_owner,
    wait_until,
)

pytestmark = needs_fork
LIGHT = ("pipeline.protocol.wire.messages",)


@asynccontextmanager
async def running(child: str, starter: Starter | None, *arguments: str) -> AsyncGenerator[Rig]:
    """A backend whose worker is ready; nothing of it is left in the end."""
    descriptors = open_descriptors()
    rig = Rig(
        configure=CONFIGURE,
        command=(sys.executable, str(CHILDREN / f"{child}.py"), *arguments),
        timeouts=Timeouts(ready_s=30.0, backoff_min_s=0.01, backoff_max_s=0.05),
        starter=starter,
    )
    await rig.start()
    await rig.wait_ready(PATIENCE_S)
    yield rig
    await rig.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert open_descriptors() <= descriptors
    assert not has_zombie()


def our_children() -> list[psutil.Process]:
    """Without the starter that tests of whole bots share."""
    return [
        child
        for child in psutil.Process().children()
        if "--listen" not in child.cmdline() and child.name() != "nats-server"
    ]


def name_of_device(rig: Rig) -> str:
    assert rig.status.ready is not None
    return rig.status.ready.device_name


def worker_of(rig: Rig) -> psutil.Process:
    return psutil.Process(int(name_of_device(rig)))


async def facts_of(starter: Starter | None) -> dict[str, Any]:
    async with running("mirror", starter, "a", "b c") as rig:
        return json.loads(name_of_device(rig))


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["default", "ignored"])
def interrupt(request: pytest.FixtureRequest) -> Generator[None]:
    """A handler of SIGINT in this process; its children inherit whether it ignores the signal."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupt")
async def test_a_fork_is_as_exec_would_have_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DISCORD__TOKEN", "secret")
    monkeypatch.setenv("ODD", os.fsdecode(b"\xff"))
    by_exec = await facts_of(None)
    assert await facts_of(Starter(preloaded=LIGHT)) == by_exec
    assert by_exec["threads"] == "1"


async def test_the_starter_has_no_secret_one_thread_and_nothing_of_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DISCORD__TOKEN", "secret")
    monkeypatch.setenv("easel_discord__token", "secret")
    async with running("good", Starter(preloaded=LIGHT)) as rig:
        starter = worker_of(rig).parent()
        assert starter is not None
        assert (starter.name(), starter.num_threads(), starter.ppid()) == ("easel-starter", 1, os.getpid())
        assert [name for name in starter.environ() if name.upper().startswith("EASEL_")] == []
        held = [str(link.readlink()) for link in Path(f"/proc/{starter.pid}/fd").iterdir()]
        # Our connection, and its own output twice.
        assert len([target for target in held if target.startswith("socket:")]) == 3


async def test_every_worker_is_a_fork_of_the_same_starter() -> None:
    async with running("good", Starter(preloaded=LIGHT)) as rig:
        first = worker_of(rig)
        starter = first.ppid()
        os.kill(first.pid, signal.SIGKILL)
        await rig.until(lambda: rig.status.restarts == 1)
        await rig.wait_ready(PATIENCE_S)
        second = worker_of(rig)
        assert second.pid != first.pid
        assert second.ppid() == starter != os.getpid()


async def test_with_the_starter_its_worker_ends_and_the_next_has_a_new_one(request_: GenerationRequest) -> None:
    async with running("silent", Starter(preloaded=LIGHT)) as rig:
        await rig.submit(1, 1, request_)
        (starter,) = our_children()
        (worker,) = starter.children()
        starter.kill()
        (failed,) = await rig.terminals(1)
        assert isinstance(failed, Failed)
        assert failed.reason is FailureReason.WORKER_DIED
        assert not is_alive(worker.pid)
        await rig.until(lambda: rig.status.restarts == 1)
        await rig.wait_ready(PATIENCE_S)
        (after,) = our_children()
        assert after.pid != starter.pid


@pytest.mark.parametrize(
    ("module", "reason"),
    [("threaded", "has 2 threads"), ("holding", "holds /dev/full open")],
)
async def test_a_starter_that_a_fork_would_tear_says_so_and_exec_starts_each_worker(module: str, reason: str) -> None:
    with capture_logs() as logs:
        async with running("good", Starter(preloaded=[f"tests.pipeline.backends.children.{module}"])) as rig:
            assert worker_of(rig).ppid() == os.getpid()
            os.kill(worker_of(rig).pid, signal.SIGKILL)
            await rig.until(lambda: rig.status.restarts == 1)
            await rig.wait_ready(PATIENCE_S)
            # It is not tried again.
            assert [child.pid for child in our_children()] == [worker_of(rig).pid]
    told = [entry["detail"] for entry in logs if entry.get("action") == "no_fork"]
    assert told == [f"The starter {reason}."] * 2


async def test_where_the_starter_cannot_import_exec_starts_the_worker() -> None:
    with capture_logs() as logs:
        async with running("good", Starter(preloaded=["nowhere"])) as rig:
            assert worker_of(rig).ppid() == os.getpid()
    assert "The starter has ended." in [entry.get("detail") for entry in logs]
    assert any("No module named 'nowhere'" in str(entry["event"]) for entry in logs)


async def test_a_starter_that_does_not_come_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starters, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(starters, "_GRACE_S", 0.1)
    async with running("good", Starter(preloaded=["tests.pipeline.backends.children.endless"])) as rig:
        assert [child.pid for child in our_children()] == [worker_of(rig).pid]


async def test_where_nothing_listens_exec_starts_the_worker(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with running("good", Starter(tmp_path / "nowhere")) as rig:
            assert worker_of(rig).ppid() == os.getpid()
    assert "could not be reached" in next(entry["detail"] for entry in logs if entry.get("action") == "no_fork")


async def test_a_worker_that_cannot_run_ends_with_a_killed_owner() -> None:
    owner, pid = await start_owner("ignores_eof", "fork")
    os.kill(pid, signal.SIGSTOP)
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    await wait_until(lambda: not is_alive(pid))


async def test_bots_that_share_a_starter_take_only_their_own_workers_along(tmp_path: Path) -> None:
    path = tmp_path / "starter"
    shared = await asyncio.create_subprocess_exec(sys.executable, "-m", "pipeline.starter", "--listen", str(path))
    await wait_until(path.exists)
    assert path.stat().st_mode & 0o077 == 0
    try:
        (owner, worker), (other, others) = [await start_owner("ignores_eof", str(path)) for _ in range(2)]
        assert psutil.Process(worker).ppid() == psutil.Process(others).ppid() == shared.pid
        os.kill(worker, signal.SIGSTOP)
        owner.kill()
        await owner.wait()
        await wait_until(lambda: not is_alive(worker))
        assert is_alive(others)
        shared.kill()
        await wait_until(lambda: not is_alive(others))
        other.kill()
        await other.wait()
    finally:
        if shared.returncode is None:
            shared.kill()
        await shared.wait()
