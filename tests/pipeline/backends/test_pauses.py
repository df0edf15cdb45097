"""How long the pause before the next start is, and which faults a watchdog finds."""

import asyncio

import msgspec
from structlog.testing import capture_logs

from pipeline.backends.connection import describe_exit
from pipeline.backends.watchdog import Timeouts, Watchdog
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Heartbeat, Progress
from tests.pipeline.backends.conftest import PATIENCE_S, Make, Rig


async def fall(backend: Rig, request: GenerationRequest, times: int) -> list[float]:
    """Let the worker end some times while it is ready: the pauses after it."""
    with capture_logs() as logs:
        for job_id in range(1, times + 1):
            await backend.wait_ready(PATIENCE_S)
            await backend.submit(job_id, 1, msgspec.structs.replace(request, prompt="fall"))
            await backend.terminals(1)
    return [entry["pause_s"] for entry in logs if entry.get("action") == "worker_lost"]


async def test_pauses_double_up_to_the_longest(make: Make) -> None:
    backend = make("exit_at_start", backoff_min_s=0.01, backoff_max_s=0.03)
    with capture_logs() as logs:
        await backend.start()
        await backend.until(lambda: backend.status.restarts >= 4)
    pauses = [entry["pause_s"] for entry in logs if entry.get("action") == "worker_lost"]
    assert pauses[:4] == [0.01, 0.02, 0.03, 0.03]


async def test_a_worker_that_was_ready_only_briefly_does_not_reset_the_pause(
    make: Make, request_: GenerationRequest
) -> None:
    backend = make("good", backoff_min_s=0.01, backoff_max_s=1.0, stable_s=60.0)
    await backend.start()
    assert (await fall(backend, request_, 3))[:2] == [0.01, 0.02]


async def test_a_worker_that_was_ready_long_enough_does(make: Make, request_: GenerationRequest) -> None:
    backend = make("good", backoff_min_s=0.01, backoff_max_s=1.0, stable_s=0.0)
    await backend.start()
    assert (await fall(backend, request_, 3))[:2] == [0.01, 0.01]


async def test_a_loading_engine_has_its_own_patience() -> None:
    watchdog = Watchdog(Timeouts(step_s=10, load_s=100))
    watchdog.now_ready()
    watchdog.heard(Heartbeat(phase="loading", since_progress_s=99, rss_bytes=0))
    assert watchdog._find_fault_now() is None
    watchdog.heard(Heartbeat(phase="loading", since_progress_s=101, rss_bytes=0))
    async with asyncio.timeout(PATIENCE_S):
        assert await watchdog.find_fault() == "made no progress for 101 s while loading"


def test_an_idle_engine_need_not_move_and_a_step_is_movement() -> None:
    watchdog = Watchdog(Timeouts(step_s=10))
    watchdog.now_ready()
    watchdog.heard(Heartbeat(phase="idle", since_progress_s=1_000, rss_bytes=0))
    assert watchdog._find_fault_now() is None
    watchdog.heard(Heartbeat(phase="running", since_progress_s=11, rss_bytes=0))
    assert watchdog._find_fault_now() == "made no progress for 11 s while running"
    watchdog.heard(Progress(job_id=1, attempt=1, phase="running", step=1, total_steps=2, elapsed_s=11))
    assert watchdog._find_fault_now() is None


def test_steps_of_one_job_hide_nothing_that_stands_still() -> None:
    watchdog = Watchdog(Timeouts(step_s=10))
    watchdog.now_ready()
    step = Progress(job_id=1, attempt=1, phase="running", step=1, total_steps=2, elapsed_s=11)
    for seconds, fault in ((11, None), (12, "made no progress for 12 s while running"), (1, None), (11, None)):
        watchdog.heard(Heartbeat(phase="running", since_progress_s=seconds, rss_bytes=0))
        watchdog.heard(step)
        assert watchdog._find_fault_now() == fault


def test_an_idle_engine_with_a_job_is_not_at_rest() -> None:
    watchdog = Watchdog(Timeouts(step_s=0), has_work=lambda: True)
    watchdog.now_ready()
    watchdog.heard(Heartbeat(phase="idle", since_progress_s=0, rss_bytes=0))
    assert watchdog._find_fault_now() == "was idle for 0 s though it had a job"
    at_rest = Watchdog(Timeouts(step_s=0), has_work=lambda: False)
    at_rest.now_ready()
    at_rest.heard(Heartbeat(phase="idle", since_progress_s=0, rss_bytes=0))
    assert at_rest._find_fault_now() is None


def test_time_stood_still_counts_for_nothing() -> None:
    watchdog = Watchdog(Timeouts(step_s=10, heartbeat_s=15))
    watchdog.now_ready()
    watchdog.heard(Heartbeat(phase="running", since_progress_s=11, rss_bytes=0))
    watchdog._slept(7)
    assert watchdog._find_fault_now() == "made no progress for 11 s while running"
    watchdog._slept(8)
    assert watchdog._find_fault_now() is None


def test_exits_in_words() -> None:
    assert describe_exit(70) == "ended with exit code 70"
    assert describe_exit(-15) == "was ended by SIGTERM"
    assert describe_exit(-9).startswith("was killed (SIGKILL)")
    assert describe_exit(-250) == "was ended by signal 250"
    assert describe_exit(None) == "is still there"
