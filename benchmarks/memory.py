"""Resident memory of bot and worker, at rest and after a row of jobs."""

import asyncio
import json
from typing import Final

from benchmarks._harness import running_bot
from benchmarks.report import Report

GOAL_MB: Final = 150.0
JOBS: Final = 30
_MB: Final = 1e6


def run() -> Report:
    """Start, look, draw, look again."""
    return asyncio.run(_run())


async def _run() -> Report:
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
    return Report(
        name="memory",
        goal=f"bot <= {GOAL_MB:.0f} MB",
        value=bot_mb[-1],
        holds=bot_mb[-1] <= GOAL_MB,
        median=bot_mb[-1],
        minimum=min(bot_mb),
        pairs=JOBS,
        detail={
            "bot_at_start_mb": bot_mb[0],
            "bot_mb": bot_mb[-1],
            "worker_at_start_mb": worker_mb[0],
            "worker_after_10_mb": worker_mb[10],
            "worker_mb": worker_mb[-1],
        },
    )
