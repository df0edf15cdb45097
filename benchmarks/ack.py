"""From a command to its acknowledgement, while the worker denoises on every core."""

import asyncio
import statistics
from typing import Final

from benchmarks._harness import percentile, running_bot
from benchmarks.report import Report
from playground import LocalDiscord

GOAL_S: Final = 0.100
"""At the pace of a busy server, for the 99th of a hundred."""
BUSY: Final = (200, 10)
"""Commands, and commands a second."""
LIMIT_S: Final = 3.0
"""Discord's, for every one, however many come."""
FLOOD: Final = (1_000, 200)


def run() -> Report:
    """Send commands at a steady pace, whether or not the earlier ones were answered."""
    return asyncio.run(_run())


async def _run() -> Report:
    async with running_bot(threads=2) as running:
        # The queue is full from the first on: a job runs until the last sample.
        busy = await _send(running.local, *BUSY)
        flood = await _send(running.local, *FLOOD)
    p99 = percentile(busy, 99)
    return Report(
        name="ack",
        goal=f"while both cores denoise: p99 <= {GOAL_S * 1_000:.0f} ms at {BUSY[1]} commands a second, and none over "
        f"{LIMIT_S:.0f} s at {FLOOD[1]}",
        value=p99,
        holds=p99 <= GOAL_S and max(flood) <= LIMIT_S,
        median=statistics.median(busy),
        minimum=min(busy),
        pairs=len(busy),
        detail={
            "p50_ms": statistics.median(busy) * 1_000,
            "p99_ms": p99 * 1_000,
            "max_ms": max(busy) * 1_000,
            "flood_p50_ms": statistics.median(flood) * 1_000,
            "flood_p99_ms": percentile(flood, 99) * 1_000,
            "flood_max_ms": max(flood) * 1_000,
        },
    )


async def _send(local: LocalDiscord, count: int, per_second: int) -> list[float]:
    tasks: list[asyncio.Task[float]] = []
    for _ in range(count):
        tasks.append(asyncio.create_task(_ask(local)))
        await asyncio.sleep(1 / per_second)
    return await asyncio.gather(*tasks)


async def _ask(local: LocalDiscord) -> float:
    result = await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=50, images=4)
    seconds = local.acknowledged_in_s(result)
    if seconds is None:
        raise RuntimeError("A command was not acknowledged within three seconds.")
    return seconds
