"""From a command to its acknowledgement, while the worker denoises on every core."""

import asyncio
import statistics
from typing import Final

from benchmarks._harness import percentile, running_bot
from benchmarks.report import Report
from playground import LocalDiscord

GOAL_S: Final = 0.100
SAMPLES: Final = 1_000
PER_SECOND: Final = 200


def run() -> Report:
    """Send commands at a steady pace, whether or not the earlier ones were answered."""
    return asyncio.run(_run())


async def _run() -> Report:
    async with running_bot(threads=2) as running:
        local = running.local
        idle = [await _ask(local) for _ in range(20)]
        # The queue is full from here on: a job runs until the last sample.
        tasks: list[asyncio.Task[float]] = []
        for _ in range(SAMPLES):
            tasks.append(asyncio.create_task(_ask(local)))
            await asyncio.sleep(1 / PER_SECOND)
        samples = await asyncio.gather(*tasks)
    p99 = percentile(samples, 99)
    return Report(
        name="ack",
        goal=f"p99 <= {GOAL_S * 1_000:.0f} ms while both cores denoise",
        value=p99,
        holds=p99 <= GOAL_S,
        median=statistics.median(samples),
        minimum=min(samples),
        pairs=SAMPLES,
        detail={
            "p50_ms": statistics.median(samples) * 1_000,
            "p99_ms": p99 * 1_000,
            "max_ms": max(samples) * 1_000,
            "first_20_p50_ms": statistics.median(idle) * 1_000,
            "commands_a_second": PER_SECOND,
        },
    )


async def _ask(local: LocalDiscord) -> float:
    result = await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=50, images=4)
    seconds = local.acknowledged_in_s(result)
    if seconds is None:
        raise RuntimeError("A command was not acknowledged within three seconds.")
    return seconds
