"""How a worker is started, given up, started again and ended."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pipeline.backends.base import WorkerState, WorkerUnavailable
from pipeline.backends.starter import ForkedChild
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed
from tests.pipeline.backends.conftest import PATIENCE_S, Make, is_alive, start_owner, wait_until


async def test_a_program_that_ends_at_once_is_started_again(make: Make, request_: GenerationRequest) -> None:
    backend = make("exit_at_start")
    await backend.start()
    with pytest.raises(WorkerUnavailable):
        await backend.submit(1, 1, request_)
    await backend.until(lambda: backend.status.restarts >= 2)
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    assert backend.status.detail == "The worker ended with exit code 7."
    with pytest.raises(WorkerUnavailable, match="exit code 7"):
        await backend.wait_ready(0.01)


async def test_a_program_that_is_not_there_is_said_to_be_missing(make: Make) -> None:
    backend = make("", command=("/nowhere/worker",))
    await backend.start()
    await backend.until(lambda: backend.status.restarts >= 1)
    assert "could not be started" in backend.status.detail
    assert "/nowhere/worker" in backend.status.detail


async def test_unusable_is_told_at_once_and_tried_again(make: Make, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    backend = make("unusable", str(flag))
    await backend.start()
    with pytest.raises(WorkerUnavailable, match=r"There is no CUDA device\."):
        await backend.wait_ready(PATIENCE_S)
    await backend.until(lambda: backend.status.restarts >= 2)
    assert backend.status.state is WorkerState.UNUSABLE
    flag.unlink()
    # What it said once is not said of it for ever.
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    assert "exit code 9" in backend.status.detail


async def test_beats_do_not_stand_for_ready(make: Make) -> None:
    backend = make("never_ready", "0", ready_s=0.5, backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    assert backend.status.detail == "The worker was not ready in 0.5 s."


async def test_time_to_load_does_not_count(make: Make) -> None:
    # The worker loads for at least 3 s, twice what it may take to get ready.
    backend = make("never_ready", "60", ready_s=1.5, heartbeat_s=0.1, backoff_min_s=30, backoff_max_s=30)
    began = asyncio.get_running_loop().time()
    await backend.start()
    await backend.until(lambda: backend.status.phase == "loading")
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    assert asyncio.get_running_loop().time() - began >= 3


async def test_another_version_is_refused(make: Make) -> None:
    backend = make("wrong_version", backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    assert "version 999" in backend.status.detail
    assert backend.status.ready is None


async def test_no_variable_of_ours_reaches_the_worker(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DISCORD__TOKEN", "secret")
    monkeypatch.setenv("EASEL_X", "1")
    # Settings are read from variables of any case.
    monkeypatch.setenv("easel_discord__token", "secret")
    backend = make("good")
    await backend.start()
    # The child names its process where it sees no such variable.
    assert (await backend.wait_ready(PATIENCE_S)).device_name.isdigit()


async def test_variables_meant_for_the_worker_reach_it(make: Make) -> None:
    backend = make("good", environment={"EASEL_MEANT": "1"})
    await backend.start()
    assert (await backend.wait_ready(PATIENCE_S)).device_name == "EASEL_MEANT"


async def test_a_pause_of_everything_is_no_silence(make: Make) -> None:
    backend = make("deaf", heartbeat_s=1.0)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    await backend.until(lambda: backend.status.rss_bytes > 0)
    os.kill(pid, signal.SIGSTOP)
    # What the worker said just before it stood still is read.
    await asyncio.sleep(0.1)
    seen = backend.status.rss_bytes
    # Stands still as a whole, as a paused container does.
    time.sleep(2.5)
    os.kill(pid, signal.SIGCONT)
    await backend.until(lambda: backend.status.rss_bytes > seen)
    assert backend.status.restarts == 0


async def test_a_worker_that_cannot_be_killed_keeps_nobody_waiting(
    make: Make, way: str, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = make("ignores_eof", heartbeat_s=0.4, stop_s=0.1)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    await backend.submit(1, 1, request_)
    with monkeypatch.context() as patched:
        # A process that waits in a driver takes no signal.
        for kind in (Process, ForkedChild):
            patched.setattr(kind, "send_signal", lambda *_: None)
        (failed,) = await backend.terminals(1)
        assert isinstance(failed, Failed)
        await backend.until(lambda: "cannot be ended" in backend.status.detail)
        assert backend.status.restarts == 0
        assert is_alive(pid)
        await backend.close()
        if way == "exec":
            assert is_alive(pid)
            os.kill(pid, signal.SIGKILL)
    # A starter that is closed kills what is left, itself.
    await wait_until(lambda: not is_alive(pid))


async def test_the_next_worker_waits_for_one_that_cannot_be_killed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = make("ignores_eof", heartbeat_s=0.4, stop_s=0.1)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    with monkeypatch.context() as patched:
        for kind in (Process, ForkedChild):
            patched.setattr(kind, "send_signal", lambda *_: None)
        await backend.until(lambda: "cannot be ended" in backend.status.detail)
        assert backend.free_slots == 0
    os.kill(pid, signal.SIGKILL)
    assert int((await backend.wait_ready(PATIENCE_S)).device_name) != pid
    assert backend.status.restarts == 1


async def test_what_a_worker_prints_is_logged_in_bounded_lines(make: Make) -> None:
    backend = make("chatty")
    with capture_logs() as logs:
        await backend.start()
        await backend.wait_ready(PATIENCE_S)
        await backend.close()
    lines = [str(entry["event"]) for entry in logs]
    assert [line for line in lines if line.startswith("line ")] == [f"line {n} of many" for n in range(5_000)]
    assert "a word on stdout" in lines
    assert sum(line.count("x") for line in lines if set(line) == {"x"}) > 0
    assert max(map(len, lines)) <= 2_000


async def test_close_is_gentle_then_firm(make: Make) -> None:
    backend = make("ignores_eof", stop_s=0.2)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    await backend.close()
    assert not is_alive(pid)


async def test_close_interrupted_and_called_again_leaves_no_child(make: Make) -> None:
    backend = make("ignores_eof", stop_s=0.5)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await backend.close()
    assert is_alive(pid)
    await asyncio.gather(backend.close(), backend.close())
    assert not is_alive(pid)


async def test_close_in_a_burial_leaves_no_child(make: Make, request_: GenerationRequest) -> None:
    backend = make("deserter", stop_s=0.3)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    await backend.submit(1, 1, request_)
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    assert is_alive(pid)
    await backend.close()
    assert not is_alive(pid)
    assert [event async for event in backend.events()] == []


async def test_a_worker_that_only_closes_its_end_is_ended(make: Make, request_: GenerationRequest) -> None:
    backend = make("deserter", stop_s=0.1, backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    pid = int((await backend.wait_ready(PATIENCE_S)).device_name)
    await backend.submit(1, 1, request_)
    (failed,) = await backend.terminals(1)
    assert isinstance(failed, Failed)
    assert failed.detail == "The worker closed its connection and had to be ended."
    assert not is_alive(pid)


async def test_close_gives_running_attempts_no_event(make: Make, request_: GenerationRequest) -> None:
    backend = make("silent")
    await backend.start()
    await backend.wait_ready(PATIENCE_S)
    await backend.submit(1, 1, request_)
    await backend.close()
    assert [event async for event in backend.events()] == []
    assert backend.status.state is WorkerState.STOPPED
    with pytest.raises(WorkerUnavailable, match="stopped"):
        await backend.submit(1, 2, request_)
    with pytest.raises(WorkerUnavailable, match="stopped"):
        await backend.wait_ready(PATIENCE_S)


async def test_close_before_and_right_after_the_start(make: Make) -> None:
    unstarted, started, starting = make("good"), make("good"), make("good")
    await unstarted.close()
    assert [event async for event in unstarted.events()] == []
    with pytest.raises(RuntimeError):
        await unstarted.start()
    await started.start()
    await started.close()
    await starting.start()
    for _ in range(3):
        await asyncio.sleep(0)
    await starting.close()
    assert starting.status.state is WorkerState.STOPPED


async def test_close_in_the_pause_before_a_restart(make: Make) -> None:
    backend = make("exit_at_start", backoff_min_s=60)
    await backend.start()
    await backend.until(lambda: backend.status.state is WorkerState.RESTARTING)
    await backend.close()
    assert backend.status.restarts == 0


def fail() -> None:
    raise ValueError("a fault")


async def test_a_fault_of_a_listener_costs_nothing(make: Make, request_: GenerationRequest) -> None:
    backend = make("good")
    backend.on_ready(fail)
    await backend.start()
    await backend.wait_ready(PATIENCE_S)
    await backend.submit(1, 1, request_)
    assert len(await backend.terminals(1)) == 1
    assert backend.status.restarts == 0


async def test_the_worker_ends_with_a_killed_owner(way: str) -> None:
    owner, pid = await start_owner("good", way)
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    await wait_until(lambda: not is_alive(pid))
