"""Seconds from a command to its acknowledgement, while the worker denoises on all cores."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.report import Report
from benchmarks.running_bot import percentile, running_bot
from playground import LocalDiscord

GOAL_S: Final = 0.100
"""Goal for the 99th percentile in a flood of commands, after its first second."""
LIMIT_S: Final = 3.0
"""Discord's deadline for an acknowledgement."""
CALM: Final = (200, 10)
"""Number of commands, and commands per second."""
FLOOD: Final = (1_000, 200)


def run() -> Report:
    """Send commands at a steady rate, without waiting for answers."""
    return asyncio.run(_run())


async def _run() -> Report:
    async with running_bot(threads=2) as running:
        # The first command fills the worker, and the queue keeps it busy until the last sample.
        calm = await _send(running.local, *CALM)
        started_at = time.monotonic()
        flood = await _send(running.local, *FLOOD)
        lasted_s = time.monotonic() - started_at
    settled = flood[FLOOD[1] :]
    p99 = percentile(settled, 99)
    late = sum(seconds >= LIMIT_S for seconds in (*calm, *flood))
    return Report(
        name="ack",
        goal=f"while both cores denoise, {FLOOD[0]} commands at {FLOOD[1]} a second: p99 <= {GOAL_S * 1_000:.0f} ms "
        f"after the first second, and none over {LIMIT_S:.0f} s",
        value=p99,
        holds=p99 <= GOAL_S and late == 0,
        median=statistics.median(settled),
        minimum=min(settled),
        pairs=len(settled),
        detail={
            **_percentiles("flood", settled),
            **_percentiles("flood_first_second", flood[: FLOOD[1]]),
            **_percentiles(f"at_{CALM[1]}_a_second", calm),
            "late": late,
            "flood_lasted_s": lasted_s,
        },
    )


def _percentiles(name: str, samples: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": statistics.median(samples) * 1_000,
        f"{name}_p99_ms": percentile(samples, 99) * 1_000,
        f"{name}_max_ms": max(samples) * 1_000,
    }


async def _send(local: LocalDiscord, count: int, per_second: int) -> list[float]:
    """Send commands; return the seconds to each acknowledgement, in the order of the commands."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    tasks: list[asyncio.Task[float]] = []
    for number in range(1, count + 1):
        tasks.append(asyncio.create_task(_ask(local)))
        # The pause ends at a fixed time, since late sleeps would slow the flood down.
        await asyncio.sleep(started_at + number / per_second - loop.time())
    return await asyncio.gather(*tasks)


async def _ask(local: LocalDiscord) -> float:
    """Send one command; return the seconds to its acknowledgement, or the limit if it came too late."""
    result = await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=50, images=4)
    seconds = local.acknowledged_in_s(result)
    return LIMIT_S if seconds is None else seconds
