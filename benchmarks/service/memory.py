"""Resident memory: of bot and worker over some jobs, of the engine over a thousand, and of a bare diffusers loop."""

import asyncio
import json
import multiprocessing
from typing import Any, Final

import psutil

from benchmarks.report import Report
from benchmarks.running_bot import running_bot

BOT_GOAL_MB: Final = 150.0
BARE_GOAL: Final = 1.10
SLOPE_GOAL: Final = 0.01
JOBS: Final = 30
MANY_JOBS: Final = 1_000
WARM_JOBS: Final = 200
AT_ONCE: Final = 8
_MB: Final = 1e6


def run() -> Report:
    """Draw through the bot, then with the engine and with a bare loop, each in a new process."""
    service = asyncio.run(_service())
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        bare_mb, alone_mb, warm_mb, last_mb = pool.apply(_bare), *pool.apply(_engine)
    slope, to_bare = last_mb / warm_mb - 1, alone_mb / bare_mb
    return Report(
        name="memory",
        goal=f"bot <= {BOT_GOAL_MB:.0f} MB, engine / bare loop <= {BARE_GOAL}, {MANY_JOBS:,} jobs <= {SLOPE_GOAL:+.0%}",
        value=service["bot_mb"],
        holds=service["bot_mb"] <= BOT_GOAL_MB and to_bare <= BARE_GOAL and slope <= SLOPE_GOAL,
        median=service["bot_mb"],
        minimum=service["bot_at_start_mb"],
        pairs=JOBS,
        detail={
            **service,
            "bare_loop_mb": bare_mb,
            "engine_one_job_mb": alone_mb,
            "engine_to_bare": to_bare,
            f"engine_after_{WARM_JOBS}_mb": warm_mb,
            f"engine_after_{MANY_JOBS}_mb": last_mb,
            "slope": slope,
        },
    )


async def _service() -> dict[str, float]:
    async with running_bot(threads=2) as running:
        local = running.local
        bot_mb: list[float] = []
        worker_mb: list[float] = []
        for seed in range(1, JOBS + 1):
            bot_mb.append(running.bot.memory_info().rss / _MB)
            worker_mb.append(running.worker.memory_info().rss / _MB)
            await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=4, images=4, seed=seed)
            await local.wait_for_message(
                lambda message, seed=seed: f"seed {seed} " in json.dumps(message["components"])
            )
    return {
        "bot_at_start_mb": bot_mb[0],
        "bot_mb": bot_mb[-1],
        "worker_at_start_mb": worker_mb[0],
        "worker_after_10_mb": worker_mb[10],
        "worker_mb": worker_mb[-1],
    }


def _bare() -> float:
    """Memory of a process with nothing but diffusers' pipeline, in MB."""
    from benchmarks.bench import bare_pipeline  # noqa: PLC0415 - torch, in this process alone

    pipeline: Any = bare_pipeline()
    for _ in range(3):
        pipeline("a red apple", num_inference_steps=20, guidance_scale=5.0, height=64, width=64)
    return psutil.Process().memory_info().rss / _MB


def _engine() -> tuple[float, float, float]:
    """Memory of the engine in MB: after single jobs, after the first jobs in batches, and after all jobs."""
    from benchmarks.bench import Bench, mixed, request  # noqa: PLC0415 - as above

    process = psutil.Process()
    bench = Bench(max_running=AT_ONCE)
    for seed in range(3):
        bench.draw([request(seed=seed)])
    alone_mb = process.memory_info().rss / _MB
    warm_mb = alone_mb
    for done in range(0, MANY_JOBS, AT_ONCE):
        bench.draw(mixed(AT_ONCE, 64, (1, 2), seed=done))
        if done + AT_ONCE == WARM_JOBS:
            warm_mb = process.memory_info().rss / _MB
    return alone_mb, warm_mb, process.memory_info().rss / _MB
