"""From the death of a worker in the middle of a job to that job's next step: by a fork of the starter, against exec.

The real supervisor and the real worker with the shipped model. The worker is killed as the kernel kills one when
memory is short, and its job is handed over again as soon as the next worker is ready, as the dispatcher does it. Both
ways take turns; what stays beside them is the supervisor's pause before a restart.
"""

import asyncio
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from benchmarks.report import Report
from bot.configure import make_configure
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from config.settings import Settings, StorageSettings
from pipeline.backends.process import ProcessBackend
from pipeline.backends.starter import Starter
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Progress

GOAL_S: Final = 2.0
PAIRS: Final = 7
_STEPS: Final = 150
_READY_S: Final = 300.0


def run() -> Report:
    """Take the pairs."""
    return asyncio.run(_run())


async def _run() -> Report:
    forked, by_exec = [list[float](), list[float]()]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            pipeline=PipelineSettings(threads=1), storage=StorageSettings(directory=Path(folder) / "data")
        )
        for _ in range(PAIRS):
            forked.append(await _seconds(settings, Starter()))
            by_exec.append(await _seconds(settings, None))
    value = statistics.median(forked)
    ratios = [one / other for one, other in zip(by_exec, forked, strict=True)]
    return Report(
        name="restart",
        goal=f"forked <= {GOAL_S:g} s",
        value=value,
        holds=value <= GOAL_S,
        median=value,
        minimum=min(forked),
        pairs=PAIRS,
        detail={
            "forked_max_s": max(forked),
            "exec_median_s": statistics.median(by_exec),
            "exec_to_forked": statistics.median(ratios),
            "exec_to_forked_min": min(ratios),
        },
    )


async def _seconds(settings: Settings, starter: Starter | None) -> float:
    """One worker's end, in the middle of a job, until the job's next step."""
    catalogue = load_catalogue(settings.pipeline.catalogue, settings.pipeline.default_model)
    backend = ProcessBackend(configure=make_configure(settings, catalogue), starter=starter)
    request = GenerationRequest(
        prompt="a star",
        negative_prompt="",
        num_inference_steps=_STEPS,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="Euler",
        seed=7,
        num_images=4,
        model_key=catalogue.default_key,
    )
    await backend.start()
    try:
        await backend.wait_ready(_READY_S)
        await backend.submit(1, 1, request)
        await _step(backend)
        worker = psutil.Process().children(recursive=True)[-1]
        began = time.monotonic()
        os.kill(worker.pid, signal.SIGKILL)
        async for event in backend.events():
            if isinstance(event, Failed):
                break
        await backend.wait_ready(_READY_S)
        await backend.submit(1, 2, request)
        await _step(backend)
        return time.monotonic() - began
    finally:
        await backend.close()


async def _step(backend: ProcessBackend) -> None:
    """Wait for a step of the job that runs."""
    async for event in backend.events():
        if isinstance(event, Progress) and event.step > 0:
            return
